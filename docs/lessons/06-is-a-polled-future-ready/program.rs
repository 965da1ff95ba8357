use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

async fn loudly(name: &str, future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        println!("{name} is polled");
        future.as_mut().poll(cx).map(drop)
    })
    .await;
}

async fn two_steps() {
    oneloop::sleep(Duration::from_secs(1)).await;
    oneloop::sleep(Duration::from_secs(1)).await;
}

pub fn main() {
    oneloop::run(async {
        let limit = oneloop::sleep(Duration::from_secs(5));
        oneloop::race(loudly("steps", two_steps()), loudly("limit", limit)).await;
    });
}
