use std::time::Duration;

use oneloop::sync::Queue;
use oneloop::{call_later, sleep, spawn_named};

fn beat(left: u32) {
    println!("alive");
    if left > 0 {
        call_later(Duration::from_secs(60), move || beat(left - 1));
    }
}

pub fn main() {
    oneloop::run(async {
        let answers = Queue::<u32>::new(1);
        let put = answers.clone();
        let worker = spawn_named("worker", async move {
            sleep(Duration::from_secs(90)).await;
            put.put(1).await.expect("the queue is open");
        });
        beat(3);
        println!("{:?}", answers.get().await);
        println!("{:?}", answers.get().await);
        worker.await.expect("it does not panic");
    });
}
