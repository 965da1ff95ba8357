//! The sentences go to the `log` crate, if its logger wanted them when the loop was made.

use std::cell::{Cell, RefCell};

use log::{LevelFilter, Log, Metadata, Record};
use oneloop::EventLoop;

thread_local! {
    static WANTED: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what is said under the target `oneloop`, as env_logger shows it for `RUST_LOG=oneloop=trace`.
struct Keeper;

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata) -> bool {
        WANTED.get() && metadata.target() == "oneloop"
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            SAID.with_borrow_mut(|said| said.push(record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_logger_gets_the_sentences_if_it_wanted_them_when_the_loop_was_made() {
    log::set_logger(&Keeper).expect("this test has its process to itself");
    log::set_max_level(LevelFilter::Trace);

    let unwatched = EventLoop::new().unwrap();
    WANTED.set(true);
    unwatched.run_until_complete(async {});
    assert_eq!(SAID.take(), Vec::<String>::new(), "the loop was made before the logger wanted its sentences");

    let watched = EventLoop::new().unwrap();
    watched.run_until_complete(async {});
    let said = SAID.take();
    assert!(said[0].starts_with("The program spawned task 0 (main) at tests/narrate_log.rs:"), "{said:#?}");
    assert_eq!(said.last().unwrap(), "The run ended: the main future returned.");
    assert!(said.iter().all(|sentence| !sentence.contains("Turn 1")), "an empty turn was told: {said:#?}");
}
