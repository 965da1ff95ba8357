use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

async fn wait_for(done: Rc<Cell<bool>>) {
    poll_fn(|_| if done.get() { Poll::Ready(()) } else { Poll::Pending }).await;
    println!("waiter: it is done");
}

pub fn main() {
    oneloop::run(async {
        let done = Rc::new(Cell::new(false));
        let waiter = oneloop::spawn(wait_for(done.clone()));
        oneloop::sleep(Duration::from_secs(1)).await;
        done.set(true);
        println!("main: done is true now");
        let _ = oneloop::wait_for(waiter, Duration::from_secs(60)).await;
        println!("main: gave up after a minute");
    });
}
