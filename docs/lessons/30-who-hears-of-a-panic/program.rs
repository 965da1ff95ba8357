use std::time::Duration;

use oneloop::{sleep, spawn_named};

async fn save(disk: &str) {
    sleep(Duration::from_secs(1)).await;
    assert!(disk != "full", "the disk is full");
}

pub fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    oneloop::run(async {
        drop(spawn_named("dropped", save("full")));
        let awaited = spawn_named("awaited", save("full"));
        sleep(Duration::from_secs(2)).await;
        println!("main goes on");
        if let Err(error) = awaited.await {
            println!("awaited {error}");
        }
    });
}
