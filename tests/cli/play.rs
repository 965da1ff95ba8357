//! `oneloop play`.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::{LINES, said, small};

/// What is said to these commands, without the first line.
fn play(commands: &str) -> Vec<String> {
    let folder = small();
    let said = said(folder.path(), &["play", "small.trace"], commands);
    said.lines().skip(1).map(str::to_owned).collect()
}

/// The number of the event each stop is at.
fn stops(commands: &str) -> Vec<u64> {
    let stops = play(commands).into_iter().filter_map(|line| {
        let number: String = line.strip_prefix("event ")?.chars().take_while(char::is_ascii_digit).collect();
        number.parse().ok()
    });
    stops.collect()
}

#[test]
fn it_says_first_what_the_recording_is_of() {
    let folder = small();
    let text = said(folder.path(), &["play", "small.trace"], "");
    assert!(text.starts_with("A recording of `target/small --fast`: 21 events, 1 s."), "{text}");
}

#[test]
fn a_stop_is_a_sentence_and_the_line_of_the_source() {
    let lines = play("go 5\n");
    assert_eq!(
        lines,
        [
            "event 5 in turn 0, at 4 µs: Task 0 (main) is suspended at src/small.rs:4, waiting for a sleep; the poll took 2 µs.",
            "      at src/small.rs:4    sleep(second).await;",
        ]
    );
}

#[test]
fn every_stop_names_a_line() {
    let commands = "n\n".repeat(LINES.len());
    let lines = play(&commands);
    let stops = lines.iter().filter(|line| line.starts_with("event ")).count();
    let places =
        lines.iter().filter(|line| line.starts_with("      ") && line.contains("src/small.rs:")).count();
    assert_eq!((stops, places), (21, 21), "{lines:#?}");
}

#[test]
fn it_goes_by_event_poll_and_turn_forwards_and_backwards() {
    assert_eq!(stops("n\nn\n\n"), [0, 1, 2], "a bare Enter repeats");
    assert_eq!(stops("p\np\np\n"), [2, 8, 16]);
    assert_eq!(stops("t\nt\nt\n"), [1, 7, 11]);
    assert_eq!(stops("n 3\np 2\nt\n"), [2, 16, 20], "with a count; there is no further turn");
    assert_eq!(stops("c\nbn\nbn\n\nbp\nbt\nbp\nback turn\n"), [20, 19, 18, 17, 16, 11, 8, 7]);
    assert_eq!(stops("go 9\ngo 2\ngo 99\n"), [9, 2, 20]);
    assert_eq!(stops("p\nf\nf\n"), [2, 5, 9]);
    assert_eq!(stops("p\np\nw\nwhere\n"), [2, 8, 8, 8]);
}

#[test]
fn it_goes_to_what_is_asked_for() {
    assert_eq!(stops("to poll 1\n"), [8]);
    assert_eq!(stops("to the next poll of task waiter\n"), [8]);
    assert_eq!(stops("to wake main\n"), [15]);
    assert_eq!(stops("to small.rs:4\n\n\n"), [5, 16, 17], "suspended there, going on there, and at its end");
    assert_eq!(stops("to src/small.rs:8\n"), [9]);
}

#[test]
fn what_does_not_come_is_said_and_nothing_moves() {
    let lines = play("go 9\nto poll 1\nw\n");
    assert!(lines.iter().any(|line| line.contains("no further poll of task 1")), "{lines:#?}");
    assert_eq!(stops("go 9\nto poll 1\nw\n").last(), Some(&9));
    assert_eq!(stops("go 9\nto all.rs:4\nw\n").last(), Some(&9), "all.rs is not small.rs");
}

#[test]
fn before_the_beginning_and_behind_the_end_there_is_nothing() {
    assert_eq!(play("bn\n"), ["This is the beginning: nothing has happened yet."]);
    assert!(play("w\n")[0].starts_with("Nothing has happened yet."));
    assert_eq!(play("c\nn\n").last().unwrap(), "This is the end of the recording, after event 20.");
}

#[test]
fn what_happens_on_the_way_is_told() {
    let lines = play("p\np\n");
    assert!(
        lines.iter().any(|line| line == "    4 Task 0 (main) armed timer 0, which is due in 1 s, at 1 s."),
        "{lines:#?}"
    );
}

#[test]
fn everything_can_be_shown() {
    let text = play("go 5\nshow ready\ntimers\nshow io\npool\ntasks\noutput\nshow\n").join("\n");
    for line in [
        "  1. task 1 (waiter), spawned by task 0 (main) in event 3, spawned at src/small.rs:3",
        "  level 1, slot 15 (a slot is 64 ms)",
        "    timer 0, due in 1 s (at 1 s), armed by task 0 (main)",
        "No source of I/O is registered.",
        "The blocking pool has no threads and no jobs.",
        "  task 0 (main): suspended at src/small.rs:4, waiting for a sleep, for 0 s; 1 poll, busy 2 µs, queued 2 µs; spawned at src/small.rs:3",
        "The program has written nothing so far.",
        "Turn 0, in step 5 (run); the loop's time is 4 µs.",
    ] {
        assert!(text.lines().any(|said| said == line), "missing: {line}\nin:\n{text}");
    }
}

#[test]
fn a_task_has_a_story_with_a_mark_where_we_are() {
    let lines = play("go 8\ntask waiter\n");
    let story: Vec<_> = lines[2..].iter().map(|line| line.trim_start()).collect();
    assert_eq!(story.len(), 5, "{story:#?}");
    assert_eq!(story[0], "The story of task 1:");
    assert!(story[1].starts_with("3    2.5 µs  Task 0 (main) spawned task 1 (waiter)"), "{story:#?}");
    assert!(story[3].contains("you are here"), "{story:#?}");
    assert!(story[4].contains("waiting for an event to be set"), "{story:#?}");
}

#[test]
fn why_a_task_waits_is_said_for_the_moment_that_is_looked_at() {
    let text = play("c\nwhy waiter\n").join("\n");
    assert!(text.contains("task 1 (waiter)") && text.contains("src/small.rs:8"), "{text}");
    assert_eq!(play("why 1\n"), ["task 1 is not alive now."]);
    assert!(play("c\nwhy nobody\n").last().unwrap().contains("No task is called nobody"));
}

#[test]
fn it_goes_to_where_something_is_found_to_be_wrong() {
    let folder = small();
    let slow = LINES.join("\n").replace("\"t\":1000204000", "\"t\":1500204000");
    let slow = slow.replace("\"took\":100000", "\"took\":500100000").replace("\"t\":10002", "\"t\":15002");
    std::fs::write(folder.path().join("slow.trace"), slow).unwrap();
    let text = said(folder.path(), &["play", "slow.trace"], "to finding\n");
    assert!(text.contains("\nevent 17 ") && text.contains("[slow_poll]"), "{text}");
    assert!(play("go 9\nto finding\n").last().unwrap().contains("Nothing more is found to be wrong"));
}

#[test]
fn what_only_the_end_tells_is_told_of_each_rule_that_is_asked_for() {
    let folder = small();
    let unfinished = LINES[..9].join("\n") + "\n";
    std::fs::write(folder.path().join("unfinished.trace"), unfinished).unwrap();
    let text = said(folder.path(), &["play", "unfinished.trace"], "until slow_poll\nuntil poll_stuck\n");
    assert!(text.contains("Nothing more is found to be wrong."), "{text}");
    assert!(text.contains("The end itself tells:") && text.contains("[poll_stuck]"), "{text}");
}

#[test]
fn a_number_that_is_the_last_there_is_does_no_harm() {
    let folder = small();
    let last = u64::MAX;
    let lines = format!(
        r#"{}
{{"k":"snapshot","n":{last},"t":9,"step":"run","looked":0,"spawned":1,"ended":0}}
{{"k":"turn_end","n":1,"t":9,"turn":0,"ready":0}}
"#,
        LINES[0]
    );
    std::fs::write(folder.path().join("last.trace"), lines).unwrap();
    let text = said(folder.path(), &["play", "last.trace"], "go 0\n");
    assert!(text.contains(&format!("the first that is, is event {last}.")), "{text}");
}

#[test]
fn a_wrong_command_gets_a_suggestion_and_help_is_complete() {
    assert!(play("nxet\n")[0].contains("Did you mean `next`?"));
    assert!(play("show tsaks\n")[0].contains("Did you mean `show tasks`?"));
    let help = play("help\n").join("\n");
    for word in [
        "bn",
        "bp",
        "bt",
        "to FILE:LINE",
        "go EVENT",
        "show timers",
        "show task TASK",
        "why [TASK]",
        "until finding",
        "(Enter)",
        "q ",
    ] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
    assert_eq!(play("q\nn\n"), Vec::<String>::new(), "nothing is read after quit");
}

#[test]
fn a_cut_recording_is_gone_through_as_far_as_it_goes() {
    let folder = small();
    let whole = std::fs::read(folder.path().join("small.trace")).unwrap();
    std::fs::write(folder.path().join("cut.trace"), &whole[..whole.len() - 300]).unwrap();
    let text = said(folder.path(), &["play", "cut.trace"], "c\n");
    assert!(text.contains("the recording ends early, in line 21"), "{text}");
    assert!(text.contains("This is the end of the recording, after event 15."), "{text}");
}

#[test]
fn where_a_recording_was_cut_off_is_not_taken_for_the_end_of_the_run() {
    let folder = small();
    let whole = std::fs::read_to_string(folder.path().join("small.trace")).unwrap();
    let first: Vec<&str> = whole.lines().take_while(|line| !line.contains("\"n\":17,")).collect();
    let first = first.join("\n");
    let told = "The end itself tells:\nhint[poll_stuck]";
    for (name, text, tells) in [
        ("ends.trace", first.clone(), true),
        ("goes_on.trace", first.replacen("\"v\":1", "\"v\":1,\"goes_on\":true", 1), false),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let text = said(folder.path(), &["play", name], "to finding\n");
        assert_eq!(text.contains(told), tells, "{text}");
        assert_eq!(text.contains("Nothing more is found to be wrong"), !tells, "{text}");
    }
}

#[test]
fn ten_thousand_events_by_command_take_under_two_seconds() {
    let folder = small();
    let mut lines = String::from(
        "{\"k\":\"oneloop\",\"v\":1}\n{\"k\":\"site\",\"id\":1,\"file\":\"src/small.rs\",\"line\":3,\"col\":5}\n",
    );
    for n in (0..12_000).step_by(3) {
        let task = n / 3;
        writeln!(lines, r#"{{"k":"spawn","n":{n},"t":{n},"task":{task},"name":"t","by":"loop","site":1,"future":"f","size":1}}"#).unwrap();
        writeln!(
            lines,
            r#"{{"k":"poll_begin","n":{},"t":{n},"c":{n},"task":{task},"poll":1,"waited":0}}"#,
            n + 1
        )
        .unwrap();
        writeln!(lines, r#"{{"k":"poll_end","n":{},"t":{n},"task":{task},"poll":1,"took":0,"suspended":["sleep",1],"wakers":0}}"#, n + 2).unwrap();
    }
    std::fs::write(folder.path().join("long.trace"), lines).unwrap();
    let (there, back) = ("n\n".repeat(10_000), "bn\n".repeat(100));
    let began = Instant::now();
    let text = said(folder.path(), &["play", "long.trace"], &(there + &back));
    assert!(text.contains("\nevent 9999"), "it came there");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
