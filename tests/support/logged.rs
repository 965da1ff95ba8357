//! What the loop says through `log`, kept by thread.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps warnings and errors of the loop from now on, and forgets what was kept before.
pub fn keep() {
    struct Keep;
    impl log::Log for Keep {
        fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
            metadata.level() <= log::Level::Warn
        }
        fn log(&self, record: &log::Record<'_>) {
            if record.target() == "oneloop" {
                LOGGED.with_borrow_mut(|lines| lines.push(format!("{}: {}", record.level(), record.args())));
            }
        }
        fn flush(&self) {}
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Keep).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
    LOGGED.take();
}

/// Takes out what was said on this thread.
pub fn lines() -> Vec<String> {
    LOGGED.take()
}
