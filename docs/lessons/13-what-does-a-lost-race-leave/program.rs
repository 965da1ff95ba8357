use std::time::Duration;

use oneloop::sync::Queue;
use oneloop::{Either, race, sleep, spawn_named};

async fn read_record(wire: Queue<&str>) -> String {
    let mut record = String::new();
    while !record.ends_with('.') {
        record += wire.get().await.expect("the wire stays open");
    }
    record
}

pub fn main() {
    oneloop::run(async {
        let (wire, end) = (Queue::new(0), Duration::from_secs(1));
        let pieces = wire.clone();
        drop(spawn_named("sender", async move {
            for piece in ["one ", "two ", "three."] {
                sleep(Duration::from_millis(400)).await;
                pieces.try_put(piece).expect("there is room");
            }
        }));
        let first = spawn_named("first", read_record(wire.clone()));
        if let Either::Right(()) = race(first, sleep(end)).await {
            println!("the first reader is too late");
        }
        println!("record: {}", read_record(wire).await);
    });
}
