use std::thread;
use std::time::Duration;

use oneloop::{EventLoop, spawn_blocking, try_gather};

pub fn main() {
    let event_loop = EventLoop::builder().pool_threads(2).build().expect("descriptors are free");
    event_loop.run_until_complete(async {
        let images = (0..4).map(|_| spawn_blocking(|| thread::sleep(Duration::from_millis(150))));
        let images: Vec<_> = images.collect();
        let lookup = spawn_blocking(|| "127.0.0.1");
        let address = lookup.await.expect("it does not panic");
        println!("the address is {address}");
        try_gather(images).await.expect("sleeping does not panic");
    });
}
