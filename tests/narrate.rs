//! A run in words: what `ONELOOP=print` writes, line by line.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use oneloop::trace::narrate::{Narrator, Print};
use oneloop::trace::{Event, Observer};
use oneloop::{EventLoop, call_later, sleep, spawn_named, yield_now};

/// A buffer that outlives its writer.
#[derive(Clone, Default)]
struct Page(Rc<RefCell<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every sentence, the empty turns included.
#[derive(Clone, Default)]
struct Sentences(Rc<RefCell<(Narrator, Vec<String>)>>);

impl Observer for Sentences {
    fn event(&self, event: &Event) {
        let (narrator, said) = &mut *self.0.borrow_mut();
        said.push(narrator.sentence(event));
    }
}

/// Runs `program` in virtual time; the lines it prints, without heading, with source lines instead of their
/// numbers, and without sizes, which depend on the compiler.
fn printed(program: impl AsyncFnOnce()) -> Vec<String> {
    let page = Page::default();
    let event_loop = EventLoop::builder().virtual_time().observer(Print::to(page.clone())).build().unwrap();
    event_loop.run_until_complete(program());
    let text = String::from_utf8(page.0.take()).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("     seconds    seq  what happened"));
    lines.map(with_source).collect()
}

/// `at tests/narrate.rs:7` becomes what line 7 of this file says.
fn with_source(line: &str) -> String {
    let (line, _) = line.split_once(" byte").map_or((line, ""), |(line, _)| line.rsplit_once(", ").unwrap());
    let Some((before, after)) = line.split_once(concat!(file!(), ":")) else { return line.to_owned() };
    let digits = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
    let (number, after) = after.split_at(digits);
    let source = include_str!("narrate.rs").lines().nth(number.parse::<usize>().unwrap() - 1).unwrap();
    format!("{before}[{}]{after}", source.trim().trim_end_matches(';'))
}

#[test]
fn a_small_program_is_told_event_by_event() {
    let lines = printed(async || {
        let nap = spawn_named("nap", async {
            sleep(Duration::from_secs(1)).await;
        });
        call_later(Duration::from_millis(250), || ());
        nap.await.unwrap();
    });
    #[rustfmt::skip]
    let expected = [
        ("    0.000000      0  The program spawned task 0 (main) at [event_loop.run_until_complete(program())]: narrate::a_small_program_is_told_event_by_event", "the main future is a task like any other"),
        ("    0.000000      1  Turn 0 begins: 1 in the ready queue.", "which waits for its first turn"),
        ("    0.000000      4  The loop polls task 0 (main) for the 1st time.", "2 and 3 were a look at I/O that found nothing, and is not told"),
        ("    0.000000      5  Task 0 (main) spawned task 1 (nap) at [let nap = spawn_named(\"nap\", async {]: narrate::a_small_program_is_told_event_by_event", "spawning only queues"),
        ("    0.000000      6  Task 0 (main) handed callback 0 to the loop at [call_later(Duration::from_millis(250), || ())]; it is due in 250 ms, at 250 ms.", "a callback of the task's"),
        ("    0.000000      7  Timer 0 was armed for callback 0; it is due in 250 ms, at 250 ms.", "the wheel keeps its time"),
        ("    0.000000      8  Task 0 (main) awaits the end of task 1 (nap) at [nap.await.unwrap()].", "whose end that is"),
        ("    0.000000      9  Task 0 (main) is suspended at [nap.await.unwrap()], waiting for a task to end.", "the line of the await, not of the library"),
        ("    0.000000     10  Turn 0 ended: 1 in the ready queue for the next one.", "what was spawned in a turn runs in the next"),
        ("    0.000000     11  Turn 1 begins: 1 in the ready queue, 1 timer armed.", "the nap is ready, the callback is not"),
        ("    0.000000     12  The loop polls task 1 (nap) for the 1st time.", "no look at I/O at all: one turn has just passed"),
        ("    0.000000     13  Task 1 (nap) armed timer 1, which is due in 1 s, at 1 s.", "polled too early, the sleep arms a timer"),
        ("    0.000000     14  Task 1 (nap) is suspended at [sleep(Duration::from_secs(1)).await], waiting for a sleep.", "and suspends its task"),
        ("    0.000000     15  Turn 1 ended: the ready queue is empty.", "nobody can go on"),
        ("    0.000000     16  Turn 2 begins: the ready queue is empty, 2 timers armed.", "so the loop has to wait"),
        ("    0.000000     17  The loop waits for at most 250 ms, until the next timer is due.", "the nearer one decides"),
        ("    0.250000     18  The loop's clock jumped from 0 s to 250 ms.", "virtual time: nothing else can happen"),
        ("    0.250000     19  The wait ended: the time was up.", "no I/O, no other thread"),
        ("    0.250000     20  Timer 0 fired on time: callback 0 joined the ready queue.", "step 4"),
        ("    0.250000     21  The loop calls callback 0.", "step 5 of the same turn"),
        ("    0.250000     22  Callback 0 returned.", "no time passes while a program runs in virtual time"),
        ("    0.250000     23  Turn 2 ended: the ready queue is empty.", "the nap goes on"),
        ("    0.250000     24  Turn 3 begins: the ready queue is empty, 1 timer armed.", "its timer is left"),
        ("    0.250000     25  The loop waits for at most 750 ms, until the next timer is due.", "1 s less 250 ms"),
        ("    1.000000     26  The loop's clock jumped from 250 ms to 1 s.", "as before"),
        ("    1.000000     27  The wait ended: the time was up.", "as before"),
        ("    1.000000     28  Timer 1 fired on time.", "a timer that a task waits for"),
        ("    1.000000     29  Timer 1 woke task 1 (nap), which joined the ready queue.", "wakes it: an event of its own"),
        ("    1.000000     30  The loop polls task 1 (nap) for the 2nd time.", "the task is resumed"),
        ("    1.000000     31  The 2nd poll of task 1 (nap) was its last.", "its future returned Ready"),
        ("    1.000000     32  Task 1 (nap) ended: its future returned.", "its result is kept for the handle"),
        ("    1.000000     33  Task 1 (nap) woke task 0 (main), which joined the ready queue.", "who woke whom: the task that ended, the one that awaits it"),
        ("    1.000000     34  Turn 3 ended: 1 in the ready queue for the next one.", "the snapshot of step 5 did not have it"),
        ("    1.000000     35  Turn 4 begins: 1 in the ready queue.", "now it has"),
        ("    1.000000     36  The loop polls task 0 (main) for the 2nd time.", "once more, not once per child"),
        ("    1.000000     37  Task 0 (main) took the result of task 1 (nap).", "the handle is ready"),
        ("    1.000000     38  The 2nd poll of task 0 (main) was its last.", "nothing follows the await"),
        ("    1.000000     39  Task 0 (main) ended: its future returned.", "the run is for this"),
        ("    1.000000     40  Turn 4 ended: the ready queue is empty.", "the mark of the end does not count"),
        ("    1.000000     43  The run ended: the main future returned.", "turn 5 found only the mark, and is not told"),
    ];
    for (index, (line, reason)) in expected.iter().enumerate() {
        assert_eq!(lines.get(index).map(String::as_str), Some(*line), "line {index}: {reason}");
    }
    assert_eq!(lines.len(), expected.len(), "{:#?}", &lines[expected.len()..]);
}

#[test]
fn a_cancelled_task_is_told_from_the_wish_to_the_end() {
    let lines = printed(async || {
        let idle = spawn_named("idle", async {
            std::future::pending::<()>().await;
        });
        yield_now().await;
        idle.cancel();
        assert!(idle.await.unwrap_err().is_cancelled());
    });
    let about: Vec<&str> =
        lines.iter().filter(|line| line.contains("(idle)")).map(|line| &line[21..]).collect();
    #[rustfmt::skip]
    let expected = [
        ("Task 0 (main) spawned task 1 (idle) at [let idle = spawn_named(\"idle\", async {]: narrate::a_cancelled_task_is_told_from_the_wish_to_the_end", "the task is made"),
        ("The loop polls task 1 (idle) for the 1st time.", "while the main future gave way"),
        ("Task 1 (idle) is suspended, waiting for a future that oneloop did not write; nobody keeps its waker.", "std's pending does not say where"),
        ("Nobody is left who could wake task 1 (idle).", "pending has not kept its waker"),
        ("Task 0 (main) cancelled task 1 (idle), to be dropped at its next turn.", "the wish"),
        ("Task 0 (main) woke task 1 (idle), which joined the ready queue.", "so that it has a next turn"),
        ("Task 0 (main) awaits the end of task 1 (idle) at [assert!(idle.await.unwrap_err().is_cancelled())].", "the await of the handle"),
        ("Task 1 (idle) ended: it was cancelled, and its future dropped.", "no poll: the future is dropped"),
        ("Task 1 (idle) woke task 0 (main), which joined the ready queue.", "the end of a task wakes who awaits it, however it ended"),
        ("Task 0 (main) took the result of task 1 (idle).", "the error Cancelled"),
    ];
    let (sentences, reasons): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    assert_eq!(about, sentences, "{reasons:#?}");
}

#[test]
fn turns_in_which_nothing_happened_are_left_out() {
    let (page, all) = (Page::default(), Sentences::default());
    let builder = EventLoop::builder().virtual_time().observer(Print::to(page.clone()));
    let event_loop = builder.observer(all.clone()).build().unwrap();
    event_loop.run_until_complete(async {});
    let printed = String::from_utf8(page.0.take()).unwrap();
    let all = all.0.borrow().1.join("\n");
    assert!(
        all.contains("Turn 1 begins: the ready queue is empty.\n") && all.contains("Turn 1 ended"),
        "{all}"
    );
    assert!(printed.contains("Turn 0 begins") && printed.contains("Turn 0 ended"), "{printed}");
    assert!(!printed.contains("Turn 1"), "{printed}");
    assert!(!printed.contains("without waiting"), "a look at I/O that found nothing: {printed}");
}

#[test]
fn a_writer_that_fails_does_not_fail_the_program() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let event_loop = EventLoop::builder().virtual_time().observer(Print::to(Gone)).build().unwrap();
    assert_eq!(event_loop.run_until_complete(async { 5 }), 5);
}
