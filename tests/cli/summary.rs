//! `oneloop summary`.

use std::fmt::Write;

use super::{said, small};

#[test]
fn it_says_where_the_time_went() {
    let folder = small();
    let text = said(folder.path(), &["summary", "small.trace"], "");
    for line in [
        "target/small: 21 events, 3 turns, 1 s",
        "2 tasks, 1 of them still alive at the end; the loop was busy for 103 µs",
        "       2     103 µs       3 µs        1 s  task 0 (main)",
        "      100 µs  task 0 (main), poll 2, event 17: from src/small.rs:4 to its end",
        "Timers: 1 fired, 0 cancelled",
        "       1      1        1 s        1 s  src/small.rs:4, for a sleep",
        "  task 1 (waiter) waits at src/small.rs:8, for an event to be set",
    ] {
        assert!(text.lines().any(|said| said == line), "missing: {line}\nin:\n{text}");
    }
}

#[test]
fn equal_await_points_are_counted_together() {
    let folder = small();
    let mut lines = String::from(
        "{\"k\":\"oneloop\",\"v\":1}\n{\"k\":\"site\",\"id\":1,\"file\":\"fetch.rs\",\"line\":41,\"col\":5}\n",
    );
    for task in 0..997 {
        let n = 3 * task;
        writeln!(lines, r#"{{"k":"spawn","n":{n},"t":0,"task":{task},"name":"t","by":"loop","site":1,"future":"f","size":1}}"#).unwrap();
        writeln!(lines, r#"{{"k":"poll_begin","n":{},"t":0,"task":{task},"poll":1,"waited":0}}"#, n + 1)
            .unwrap();
        writeln!(lines, r#"{{"k":"poll_end","n":{},"t":0,"task":{task},"poll":1,"took":0,"suspended":["readable",1],"wakers":1}}"#, n + 2).unwrap();
    }
    std::fs::write(folder.path().join("many.trace"), lines).unwrap();
    let text = said(folder.path(), &["summary", "many.trace", "-n", "3"], "");
    assert!(text.contains("  997 tasks wait at fetch.rs:41, for bytes to read\n"), "{text}");
    assert!(text.contains("… and 994 more"), "{text}");
}

#[test]
fn a_recording_that_begins_in_the_middle_has_the_tasks_that_were_there() {
    let folder = small();
    said(folder.path(), &["export", "--part", "--from", "11", "small.trace"], "");
    let text = said(folder.path(), &["summary", "small.part.trace"], "");
    for line in [
        "2 tasks, 1 of them still alive at the end; the loop was busy for 100 µs",
        "       2     103 µs       3 µs        1 s  task 0 (main)",
        "  task 1 (waiter) waits at src/small.rs:8, for an event to be set",
    ] {
        assert!(text.lines().any(|said| said == line), "missing: {line}\nin:\n{text}");
    }
}
