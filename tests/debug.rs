//! Debug mode: warnings of what holds the loop up, of what fails unheard, and of a loop that can never go on.

use std::cell::RefCell;
use std::future::pending;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};
use oneloop::trace::narrate::Warn;
use oneloop::trace::{Event, EventKind, Observer};
use oneloop::{EventLoop, call_soon, remote, sleep, spawn, spawn_named, stop, yield_now};

/// What a `Warn` writes; a clone is another handle.
#[derive(Clone, Default)]
struct Written(Rc<RefCell<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    /// The lines, with `…` for the times in them.
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.take()).unwrap();
        let without_time = |line: &str| match line.split_once(" held the loop up for ") {
            Some((who, rest)) => {
                let end = rest.find([',', ';']).unwrap();
                let (took, rest) = rest.split_at(end);
                assert!(took.split(' ').count() >= 2, "a number and its unit: {took}");
                format!("{who} held the loop up for …{rest}")
            }
            None => line.to_owned(),
        };
        text.lines().map(without_time).collect()
    }
}

/// What a loop that takes polls of this length for slow says.
fn warned(slow: Duration, main: impl Future) -> Vec<String> {
    let written = Written::default();
    let warn = Warn::to(slow, written.clone());
    let event_loop = EventLoop::builder().virtual_time().observer(warn).build().unwrap();
    event_loop.run_until_complete(main);
    written.lines()
}

/// Every poll is slow by this measure.
const ANY: Duration = Duration::ZERO;

#[test]
fn a_slow_poll_is_told_with_its_task_and_its_lines() {
    let line = line!();
    let lines = warned(ANY, async {
        let task = spawn_named("fetch", async {
            sleep(Duration::from_secs(1)).await;
            yield_now().await;
        });
        task.await.unwrap();
    });
    let at = |offset| format!("tests/debug.rs:{}", line + offset);
    let (spawned, first, second) = (at(2), at(3), at(4));
    let fetch = |from: &str, to: &str| {
        format!("oneloop: task 1 (fetch) held the loop up for …, from {from} to {to}; spawned at {spawned}")
    };
    let told: Vec<_> = lines.into_iter().filter(|line| line.contains("(fetch)")).collect();
    assert_eq!(told, [fetch("its beginning", &first), fetch(&first, &second), fetch(&second, "its end")]);
}

#[test]
fn where_a_future_does_not_say_its_line_neither_does_the_warning() {
    let mut polled = false;
    let custom = std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut polled, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    });
    let lines = warned(ANY, custom);
    assert!(lines[0].contains(", from its beginning to an `.await` of unknown place; "), "{lines:?}");
    assert!(lines[1].contains(", from an `.await` of unknown place to its end; "), "{lines:?}");
}

#[test]
fn a_slow_callback_is_told_with_the_line_that_made_it() {
    let line = line!();
    let lines = warned(ANY, async {
        call_soon(|| ());
        yield_now().await;
    });
    let told = format!(
        "oneloop: callback 0 held the loop up for …; handed to the loop at tests/debug.rs:{}",
        line + 2
    );
    assert!(lines.contains(&told), "{lines:?}");
}

#[test]
fn what_is_not_slow_is_not_told() {
    let lines = warned(Duration::from_secs(3600), async {
        call_soon(|| ());
        spawn(sleep(Duration::from_secs(7200))).await.unwrap();
    });
    assert_eq!(lines, [""; 0], "two hours of virtual time, and nobody held up the loop");
}

#[test]
fn a_panic_that_nobody_hears_of_is_told() {
    let lines = warned(Duration::MAX, async {
        drop(spawn_named("doomed", async { panic!("no route") }));
        yield_now().await;
    });
    assert_eq!(lines, ["oneloop: nobody took what task 1 (doomed) ended with: it panicked: no route"]);
    let lines = warned(Duration::MAX, async {
        assert!(spawn(async { panic!("no route") }).await.is_err());
    });
    assert_eq!(lines, [""; 0], "this one was heard of");
}

thread_local! {
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the warnings of each thread.
struct Keeper;

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() == log::Level::Warn && metadata.target() == "oneloop"
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            LOGGED.with_borrow_mut(|logged| logged.push(record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

/// Stops the loop when it would wait without limit.
struct StopsWaiting;

impl Observer for StopsWaiting {
    fn event(&self, event: &Event) {
        if matches!(event.kind, EventKind::WaitBegin { timeout: None, .. }) {
            remote().call_soon(stop).unwrap();
        }
    }
}

#[test]
fn the_builder_installs_the_warnings_and_the_log_has_them_too() {
    log::set_logger(&Keeper).expect("nobody else does in this process");
    log::set_max_level(LevelFilter::Warn);
    for (debug, slow) in [(true, ANY), (true, Duration::MAX), (false, ANY)] {
        let builder = EventLoop::builder().debug(debug).slow(slow).observer(StopsWaiting);
        let event_loop = builder.build().unwrap();
        drop(event_loop.spawn(pending::<()>()));
        event_loop.run_forever();
        let logged = LOGGED.take();
        let about = |what: &str| logged.iter().filter(|line| line.contains(what)).count();
        assert_eq!(about("this event loop can never go on: "), usize::from(debug));
        assert_eq!(about("held the loop up") > 0, debug && slow == ANY, "{logged:?}");
    }
}
