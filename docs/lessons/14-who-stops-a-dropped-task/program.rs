use std::time::Duration;

use oneloop::{sleep, spawn_named};

async fn save() {
    for page in 1..=3 {
        sleep(Duration::from_millis(400)).await;
        println!("page {page} is saved");
    }
}

pub fn main() {
    oneloop::run(async {
        drop(spawn_named("save", save()));
        sleep(Duration::from_secs(1)).await;
        println!("main is done");
    });
    println!("the loop is closed");
}
