use std::time::Duration;

use oneloop::{sleep, spawn_named};

async fn answer() -> u32 {
    sleep(Duration::from_secs(1)).await;
    42
}

fn ask() -> u32 {
    oneloop::run(answer())
}

pub fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    oneloop::run(async {
        match spawn_named("nested", async { ask() }).await {
            Ok(answer) => println!("in a task: {answer}"),
            Err(error) => println!("in a task, {error}"),
        }
        println!("awaited: {}", answer().await);
    });
}
