use std::thread;
use std::time::Duration;

use oneloop::spawn_blocking;

fn slow_function() -> u32 {
    thread::sleep(Duration::from_millis(100));
    42
}

pub fn main() {
    let answer = oneloop::run(async { spawn_blocking(slow_function).await });
    println!("{}", answer.expect("sleeping does not panic"));
}
