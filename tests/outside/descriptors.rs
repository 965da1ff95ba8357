//! `add_reader` and `add_writer`.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use oneloop::trace::{Actor, EventKind};
use oneloop::{Either, EventLoop, Watch, add_reader, add_writer, call_soon, race, sleep, time, yield_now};

use crate::recorder::Recorder;
use crate::support::{Log, virtual_loop};

/// Enough turns for the loop to look at I/O a few times: while there is work it does so only now and then.
async fn turns() {
    for _ in 0..2_000 {
        yield_now().await;
    }
}

#[test]
fn a_reader_is_called_as_long_as_there_is_something_to_read() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        let noted = log.clone();
        let mut source = here.try_clone().unwrap();
        // It leaves the rest of the bytes where they are, every time.
        let watch = add_reader(&here, move || {
            let mut byte = [0];
            let length = source.read(&mut byte).unwrap();
            noted.note(format!("{} {}", length, byte[0] as char));
        })
        .unwrap();
        turns().await;
        assert!(log.lines().is_empty(), "there is nothing to read");
        there.write_all(b"abc").unwrap();
        turns().await;
        assert_eq!(log.lines(), ["1 a", "1 b", "1 c"]);
        there.write_all(b"d").unwrap();
        turns().await;
        assert_eq!(log.lines(), ["1 d"], "it has heard of the next edge, too");
        drop(there);
        turns().await;
        assert!(log.lines().len() > 1, "the end can be read for ever");
        assert!(watch.remove());
        log.lines();
        turns().await;
        assert!(log.lines().is_empty());
        assert!(!watch.remove(), "there is nothing left to remove");
    });
}

#[test]
fn a_reader_may_remove_itself() {
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        let calls = Rc::new(Cell::new(0));
        let own: Rc<RefCell<Option<Watch>>> = Rc::default();
        let watch = add_reader(&here, {
            let (calls, own) = (Rc::clone(&calls), Rc::clone(&own));
            move || {
                calls.set(calls.get() + 1);
                assert!(own.take().unwrap().remove());
            }
        });
        own.replace(Some(watch.unwrap()));
        assert_eq!(Rc::strong_count(&calls), 2);
        there.write_all(b"stays unread").unwrap();
        turns().await;
        assert_eq!(calls.get(), 1);
        assert_eq!(Rc::strong_count(&calls), 1, "the callback was dropped");
    });
}

#[test]
fn of_two_readers_only_those_are_called_that_find_something() {
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        let calls = Rc::new(Cell::new((0, 0)));
        let reader = |first: bool| {
            let (mut source, calls) = (here.try_clone().unwrap(), Rc::clone(&calls));
            add_reader(&here, move || {
                let (one, other) = calls.get();
                calls.set(if first { (one + 1, other) } else { (one, other + 1) });
                // With nothing there this would block for ever.
                assert_eq!(source.read(&mut [0; 16]).unwrap(), 1);
            })
            .unwrap()
        };
        let (first, second) = (reader(true), reader(false));
        for _ in 0..10 {
            there.write_all(b"x").unwrap();
            turns().await;
        }
        let (one, other) = calls.get();
        assert_eq!(one + other, 10);
        assert!(first.remove() && second.remove());
    });
}

#[test]
fn a_writer_is_called_as_long_as_there_is_room() {
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let written = Rc::new(Cell::new(0));
        let watch = add_writer(&here, {
            let (mut socket, written) = (here.try_clone().unwrap(), Rc::clone(&written));
            move || written.set(written.get() + socket.write(&[7; 10_000]).expect("there is room"))
        })
        .unwrap();
        while {
            let before = written.get();
            turns().await;
            written.get() > before
        } {}
        let full = written.get();
        assert!(full > 10_000, "{full}");
        let mut bytes = vec![0; full];
        there.read_exact(&mut bytes).unwrap();
        turns().await;
        assert!(written.get() > full, "there is room again");
        watch.remove();
    });
}

#[test]
fn a_reader_that_panics_is_reported_and_stays() {
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        let calls = Rc::new(Cell::new(0));
        let watch = add_reader(&here, {
            let (mut source, calls) = (here.try_clone().unwrap(), Rc::clone(&calls));
            move || {
                source.read_exact(&mut [0]).unwrap();
                calls.set(calls.get() + 1);
                assert_ne!(calls.get(), 1, "the first time");
            }
        });
        there.write_all(b"abc").unwrap();
        turns().await;
        assert_eq!(calls.get(), 3);
        watch.unwrap().remove();
    });
}

#[test]
fn closing_the_original_leaves_the_watch_as_it_is() {
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        let calls = Rc::new(Cell::new(0));
        let watch = add_reader(&here, {
            let calls = Rc::clone(&calls);
            move || calls.set(calls.get() + 1)
        })
        .unwrap();
        drop(here);
        there.write_all(b"still open").unwrap();
        turns().await;
        assert!(calls.get() > 0);
        watch.remove();
        assert_eq!(there.write_all(b"gone").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_regular_file_cannot_be_watched() {
    virtual_loop().run_until_complete(async {
        let file = tempfile::tempfile().unwrap();
        let error = add_reader(&file, || ()).unwrap_err();
        assert!(error.to_string().contains("cannot watch descriptor "), "{error}");
    });
}

#[test]
fn a_source_that_is_always_ready_does_not_starve_the_rest() {
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        there.write_all(b"never read").unwrap();
        let (calls, soon) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let counted = Rc::clone(&calls);
        let watch = add_reader(&here, move || counted.set(counted.get() + 1)).unwrap();
        for _ in 0..1000 {
            let counted = Rc::clone(&soon);
            call_soon(move || counted.set(counted.get() + 1));
            yield_now().await;
        }
        assert!(soon.get() >= 999);
        assert!((500..=1001).contains(&calls.get()), "at most once a turn: {}", calls.get());
        watch.remove();
    });
}

#[test]
fn the_observer_is_told_that_the_source_called_back() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        let mut source = here.try_clone().unwrap();
        let watch = add_reader(&here, move || source.read_exact(&mut [0]).unwrap()).unwrap();
        there.write_all(b"x").unwrap();
        turns().await;
        watch.remove();
    });
    let events = recorder.events();
    let made = events.iter().find_map(|event| match &event.kind {
        EventKind::CallbackNew { callback, by: Actor::Source(_), site, .. } => Some((*callback, *site)),
        _ => None,
    });
    let (callback, site) = made.expect("the source made a callback");
    assert!(site.file.ends_with("outside/descriptors.rs"));
    let began = |event: &oneloop::trace::Event| matches!(event.kind, EventKind::CallbackBegin { callback: began } if began == callback);
    assert_eq!(events.iter().filter(|event| began(event)).count(), 1);
}

#[test]
fn a_loop_that_ends_drops_its_callbacks() {
    let kept = Rc::new(());
    let (here, _there) = UnixStream::pair().unwrap();
    let watch = {
        let event_loop = virtual_loop();
        let held = Rc::clone(&kept);
        event_loop.run_until_complete(async { add_reader(&here, move || _ = &held).unwrap() })
    };
    assert_eq!(Rc::strong_count(&kept), 1);
    assert!(!watch.remove());
}

#[test]
fn a_watch_removed_between_two_runs_no_longer_keeps_time_from_jumping() {
    let event_loop = virtual_loop();
    let (here, _there) = UnixStream::pair().unwrap();
    let watch = event_loop.run_until_complete(async { add_reader(&here, || ()).unwrap() });
    assert!(watch.remove());
    event_loop.run_until_complete(async {
        let start = time();
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(time() - start, Duration::from_secs(3600));
    });
}

#[test]
fn a_watch_keeps_time_from_jumping() {
    virtual_loop().run_until_complete(async {
        let (here, mut there) = UnixStream::pair().unwrap();
        let event = oneloop::sync::Event::new();
        let set = event.clone();
        let watch = add_reader(&here, move || set.set()).unwrap();
        let writes = std::thread::spawn(move || {
            there.write_all(b"x").unwrap();
            there
        });
        let heard = race(event.wait(), sleep(Duration::from_secs(3600))).await;
        assert!(matches!(heard, Either::Left(_)), "time jumped");
        watch.remove();
        writes.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "no event loop is running on this thread")]
fn a_reader_needs_a_loop() {
    let (here, _there) = UnixStream::pair().unwrap();
    let _ = add_reader(&here, || ());
}
