use std::time::Duration;

use oneloop::{EventLoop, call_later, call_soon, stop};

fn first() {
    println!("first");
    call_soon(third);
}

fn second() {
    println!("second");
}

fn third() {
    println!("third");
    call_later(Duration::from_secs(3), last);
}

fn last() {
    println!("last, three seconds later");
    stop();
}

pub fn main() {
    let event_loop = EventLoop::new().expect("a loop needs three descriptors");
    event_loop.call_soon(first);
    event_loop.call_soon(second);
    event_loop.run_forever();
}
