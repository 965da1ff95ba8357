use std::time::Duration;

use oneloop::{call_later, sleep, wait_for};

pub fn main() {
    oneloop::run(async {
        let answer = sleep(Duration::from_millis(20));
        wait_for(answer, Duration::from_secs(30)).await.expect("it comes in time");
        println!("the answer came");

        for name in ["b", "c"] {
            call_later(Duration::from_millis(5), move || println!("{name}, after 5 ms"));
        }
        call_later(Duration::from_millis(4), || println!("a, after 4 ms"));
        sleep(Duration::from_millis(10)).await;
    });
}
