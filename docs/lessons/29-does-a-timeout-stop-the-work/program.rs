use std::thread;
use std::time::Duration;

use oneloop::{sleep, spawn_blocking, wait_for};

const MS: Duration = Duration::from_millis(1);

pub fn main() {
    oneloop::run(async {
        let heavy = spawn_blocking(|| {
            thread::sleep(600 * MS);
            println!("the job: done");
        });
        match wait_for(heavy, 200 * MS).await {
            Ok(_) => println!("in time"),
            Err(late) => println!("{late}"),
        }
        sleep(100 * MS).await;
        println!("main: done");
    });
    println!("the loop is closed");
}
