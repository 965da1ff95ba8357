use std::time::Duration;

use oneloop::{call_soon, sleep, spawn_named, yield_now};

async fn other() {
    println!("other: one");
    yield_now().await;
    println!("other: two");
}

pub fn main() {
    oneloop::run(async {
        let other = spawn_named("other", other());
        call_soon(|| println!("callback"));
        println!("main: before the sleep");
        sleep(Duration::from_secs(1)).await;
        println!("main: after the sleep");
        other.await.expect("printing does not panic");
    });
}
