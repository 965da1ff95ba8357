use std::sync::mpsc;

use oneloop::{spawn_blocking, spawn_named};

pub fn main() {
    oneloop::run(async {
        let (go, wait) = mpsc::channel();
        let job = spawn_blocking(move || {
            wait.recv().expect("it is told to go");
            6 * 7
        });
        let start = spawn_named("start", async move { go.send(()).expect("the job waits") });
        let answer = job.await.expect("it does not panic");
        println!("{answer}");
        start.await.expect("it does not panic");
    });
}
