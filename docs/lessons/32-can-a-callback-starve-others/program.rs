use std::time::Duration;

use oneloop::{call_later, call_soon, spawn_named, yield_now};

fn again(left: u32) {
    println!("called: {left}");
    if left > 0 {
        call_soon(move || again(left - 1));
    }
}

pub fn main() {
    oneloop::run(async {
        call_soon(|| again(4));
        call_later(Duration::ZERO, || println!("the timer"));
        let task = spawn_named("task", async {
            for poll in 1..=3 {
                println!("the task: {poll}");
                yield_now().await;
            }
        });
        task.await.expect("it does not panic");
        yield_now().await;
        yield_now().await;
    });
}
