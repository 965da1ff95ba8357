use std::thread;
use std::time::Duration;

async fn spinner() {
    for _ in 0..3 {
        oneloop::sleep(Duration::from_millis(100)).await;
        println!("spinner: still turning");
    }
}

fn heavy() {
    thread::sleep(Duration::from_millis(450));
}

pub fn main() {
    oneloop::run(async {
        let spinner = oneloop::spawn(spinner());
        oneloop::yield_now().await;
        heavy();
        println!("main: done with what is heavy");
        spinner.await.expect("a spinner does not panic");
    });
}
