use std::time::Duration;

use oneloop::sync::Mutex;
use oneloop::{sleep, spawn_named};

async fn pay(from: Mutex<i32>, to: Mutex<i32>) {
    let mut from = from.lock().await;
    sleep(Duration::from_millis(10)).await;
    let mut to = to.lock().await;
    *from -= 1;
    *to += 1;
}

pub fn main() {
    oneloop::run(async {
        let (ann, bob) = (Mutex::new(5), Mutex::new(5));
        let there = spawn_named("there", pay(ann.clone(), bob.clone()));
        let back = spawn_named("back", pay(bob, ann));
        there.await.expect("it does not panic");
        back.await.expect("it does not panic");
        println!("both have paid");
    });
}
