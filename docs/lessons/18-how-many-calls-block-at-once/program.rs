use std::thread;
use std::time::Duration;

use oneloop::{EventLoop, spawn_blocking};

fn resize() {
    thread::sleep(Duration::from_millis(150));
}

pub fn main() {
    let event_loop = EventLoop::builder().pool_threads(2).build().expect("descriptors are free");
    event_loop.run_until_complete(async {
        let images = [spawn_blocking(resize), spawn_blocking(resize), spawn_blocking(resize)];
        let lookup = spawn_blocking(|| "127.0.0.1");
        let address = lookup.await.expect("it does not panic");
        println!("the address is {address}");
        for image in images {
            image.await.expect("it does not panic");
        }
        println!("three images are resized");
    });
}
