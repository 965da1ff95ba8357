use std::thread;
use std::time::Duration;

use oneloop::sleep;

pub fn main() {
    oneloop::run(async {
        let remote = oneloop::remote();
        let worker = thread::spawn(move || {
            // The closure crosses; the sleep is made on the loop's thread, and never leaves it.
            let task = remote.spawn(|| async {
                sleep(Duration::from_millis(5)).await;
                6 * 7
            });
            task.wait().expect("it neither panics nor is cancelled")
        });
        // `worker.join()` at once would block the loop, and with it the task that the worker waits for.
        while !worker.is_finished() {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(worker.join().expect("it does not panic"), 42);
    });
}
