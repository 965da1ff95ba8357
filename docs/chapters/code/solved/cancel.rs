use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use oneloop::{EventLoop, shield, sleep, spawn};

async fn save(saved: Rc<Cell<bool>>) {
    sleep(Duration::from_secs(2)).await;
    saved.set(true);
}

pub fn main() {
    let event_loop = EventLoop::builder().virtual_time().build().expect("a loop needs three descriptors");
    let saved = Rc::new(Cell::new(false));
    let theirs = Rc::clone(&saved);
    event_loop.run_until_complete(async {
        let request = spawn(async move { shield(spawn(save(theirs))).await });
        sleep(Duration::from_secs(1)).await;
        request.cancel();
        assert!(request.await.is_err_and(|error| error.is_cancelled()));
        assert!(!saved.get(), "it is half way");
        sleep(Duration::from_secs(2)).await;
        assert!(saved.get(), "it has gone on without the request");
    });
}
