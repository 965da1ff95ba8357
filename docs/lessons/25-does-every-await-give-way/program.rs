use std::future::ready;

use oneloop::{spawn_named, yield_now};

async fn greedy() {
    for step in 1..=3 {
        println!("greedy: {step}");
        ready(()).await;
    }
}

async fn polite() {
    for step in 1..=3 {
        println!("polite: {step}");
        yield_now().await;
    }
}

pub fn main() {
    oneloop::run(async {
        let tasks = [spawn_named("polite", polite()), spawn_named("greedy", greedy())];
        for task in tasks {
            task.await.expect("it does not panic");
        }
    });
}
