use std::pin::pin;
use std::time::Duration;

use oneloop::sync::Mutex;
use oneloop::{race, sleep, spawn_named};

async fn write(log: &Mutex<Vec<&str>>, line: &'static str) {
    log.lock().await.push(line);
}

pub fn main() {
    oneloop::run(async {
        let log = Mutex::new(Vec::new());
        let own = log.clone();
        let _holder = spawn_named("holder", async move {
            let _guard = own.lock().await;
            sleep(Duration::from_secs(1)).await;
        });
        sleep(Duration::from_millis(100)).await;
        let mut first = pin!(write(&log, "first"));
        race(first.as_mut(), sleep(Duration::from_millis(500))).await;
        println!("that takes long: something else first");
        write(&log, "second").await;
        first.await;
        println!("{} lines are written", log.lock().await.len());
    });
}
