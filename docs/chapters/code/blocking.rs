use std::thread;
use std::time::Duration;

use oneloop::{sleep, spawn_named};

async fn ticker() {
    for tick in 1..=3 {
        sleep(Duration::from_millis(100)).await;
        println!("tick {tick}");
    }
}

pub fn main() {
    oneloop::run(async {
        let ticker = spawn_named("ticker", ticker());
        sleep(Duration::from_millis(50)).await;
        println!("the call begins");
        thread::sleep(Duration::from_millis(200));
        println!("the call has returned");
        ticker.await.expect("printing does not panic");
    });
}
