//! Recordings as they come out of files: cut short, very long, or of what no loop would do.

use std::fmt::Write;

use oneloop::trace::TaskId;
use oneloop::trace::findings::{Findings, Limits, check_part, check_recording, why};
use oneloop::trace::fold::World;
use oneloop::trace::narrate::Narrator;
use oneloop::trace::read::Recording;

/// So many events of a kind: were all gone through for each, the tests below would take minutes.
const MANY: u64 = 30_000;

/// The lines of a recording, whose events are numbered.
struct Lines {
    text: String,
    next: u64,
}

impl Lines {
    /// Those of a whole recording.
    fn new() -> Lines {
        Lines::with("")
    }

    /// With these fields in the header besides.
    fn with(header: &str) -> Lines {
        let mut text = format!("{{\"k\":\"oneloop\",\"v\":1,\"level\":\"leaf\"{header}}}\n");
        for line in 1..=9 {
            writeln!(text, r#"{{"k":"site","id":{line},"file":"src/main.rs","line":{line},"col":1}}"#)
                .unwrap();
        }
        Lines { text, next: 0 }
    }

    /// A line that is no event.
    fn line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    /// An event, with these fields.
    fn add(&mut self, kind: &str, fields: &str) {
        let n = self.next;
        writeln!(
            self.text,
            r#"{{"k":"{kind}","n":{n},"t":{n}{}{fields}}}"#,
            if fields.is_empty() { "" } else { "," }
        )
        .unwrap();
        self.next += 1;
    }

    fn spawn(&mut self, task: u64, name: &str, by: &str) {
        let fields = r#""site":1,"future":"f","size":1"#;
        self.add("spawn", &format!(r#""task":{task},"name":"{name}","by":{by},{fields}"#));
    }

    /// A poll in which nothing happens but what `within` adds; after it the task waits.
    fn poll(&mut self, task: u64, wait: &str, wakers: u32, within: impl FnOnce(&mut Lines)) {
        self.add("poll_begin", &format!(r#""task":{task},"poll":1,"waited":0"#));
        within(self);
        let suspended = format!(r#""suspended":["{wait}",2],"wakers":{wakers}"#);
        self.add("poll_end", &format!(r#""task":{task},"poll":1,"took":0,{suspended}"#));
    }

    fn read(self) -> Recording {
        let recording = Recording::read(self.text.as_bytes()).expect("it is a recording");
        assert!(recording.faults.count == 0, "{:?}", recording.warnings());
        recording
    }
}

/// The rules that find something, with how often.
fn found(findings: &Findings) -> Vec<(&'static str, usize)> {
    findings.found().iter().map(|finding| (finding.rule, finding.times)).collect()
}

fn checked(lines: Lines) -> Findings {
    check_recording(&lines.read(), Limits::default())
}

/// Task 0 waits for somebody outside, and the loop for whatever may come; then task 1 is polled.
fn waiting(header: &str) -> Lines {
    let mut lines = Lines::with(header);
    lines.spawn(0, "main", r#""loop""#);
    lines.poll(0, "custom", 1, |_| ());
    lines.spawn(1, "slow", r#""loop""#);
    lines.add("poll_begin", r#""task":1,"poll":1,"waited":0"#);
    lines
}

#[test]
fn the_end_of_the_first_part_is_not_the_end_of_the_run() {
    let whole = [("poll_stuck", 1), ("waker_outside", 1)];
    assert_eq!(found(&checked(waiting(""))), whole);
    assert_eq!(found(&checked(waiting(r#","goes_on":true"#))), []);
    let recording = waiting("").read();
    assert_eq!(found(&check_part(&recording, &recording.events, Limits::default())), whole);
    let first = &recording.events[..recording.events.len() - 1];
    assert_eq!(found(&check_part(&recording, first, Limits::default())), []);
}

#[test]
fn a_part_begins_with_what_the_whole_began_with() {
    let mut lines = Lines::with(r#","lost":100"#);
    lines.line(r#"{"k":"snapshot","n":100,"t":0,"step":"run","looked":0,"spawned":1,"ended":0}"#);
    let task = r#""task":3,"name":"save","by":"loop","site":3,"future":"f","size":1"#;
    lines.line(&format!(
        r#"{{"k":"snapshot_task",{task},"stand":"suspended","since":0,"suspended":["sleep",4],"wakers":0,"polls":1}}"#
    ));
    lines.next = 101;
    lines.add("unheard", r#""task":3,"name":"save","how":"panicked","text":"disk full""#);
    lines.add("turn_end", r#""turn":0,"ready":0"#);
    let recording = lines.read();
    let findings = check_part(&recording, &recording.events[..1], Limits::default());
    let places: Vec<u32> = findings.found()[0].places.iter().map(|place| place.line).collect();
    assert_eq!((found(&findings), places), (vec![("dropped_error", 1)], vec![3]));
}

#[test]
fn a_writer_waits_on_when_its_source_has_only_something_to_read() {
    let ended = |ready: &str| {
        let mut lines = Lines::new();
        lines.spawn(0, "main", r#""loop""#);
        lines.spawn(1, "reader", r#""loop""#);
        lines.add("io_open", r#""source":5,"what":"connection","by":{"task":0},"site":1"#);
        for (task, wait) in [(0, "writable"), (1, "readable")] {
            let interest = format!(r#""source":5,"wait":"{wait}","by":{{"task":{task}}}"#);
            lines.poll(task, wait, 0, |lines| lines.add("io_interest", &interest));
        }
        lines.add("io_ready", &format!(r#""source":5,{ready}"#));
        lines.add("wake", r#""task":1,"by":{"source":5},"effect":"queued""#);
        lines.add("poll_begin", r#""task":1,"poll":2,"waited":0"#);
        lines.add("poll_end", r#""task":1,"poll":2,"took":0,"wakers":0"#);
        lines.add("task_end", r#""task":1,"outcome":"done""#);
        lines.add("wait_begin", r#""why":"forever""#);
        lines.read()
    };
    // The peer has closed its side, and reads no more: the writer waits for room.
    for ready in [r#""readable":true"#, r#""readable":true,"closed":true"#] {
        let recording = ended(ready);
        assert_eq!(found(&check_recording(&recording, Limits::default())), [], "{ready}");
        assert_eq!(world(&recording).sources.values().map(|source| source.waits.len()).sum::<usize>(), 1);
    }
    let both = ended(r#""readable":true,"writable":true"#);
    assert_eq!(found(&check_recording(&both, Limits::default())), [("deadlock", 1)]);
}

fn world(recording: &Recording) -> World {
    let mut world = recording.begin.clone().unwrap_or_default();
    recording.events.iter().for_each(|event| world.apply(event));
    world
}

#[test]
fn of_very_many_tasks_a_finding_names_a_few() {
    let mut lines = Lines::new();
    lines.spawn(0, "main", r#""loop""#);
    for task in 1..100 {
        lines.spawn(task, "x", r#"{"task":0}"#);
        lines.poll(task, "get", 0, |_| ());
    }
    lines.add("stuck", r#""tasks":100,"report":"","fatal":true"#);
    lines.add("loop_end", r#""why":"main_done""#);
    (1..100)
        .for_each(|task| lines.add("task_end", &format!(r#""task":{task},"outcome":"cancelled","at":2"#)));
    let findings = checked(lines);
    assert_eq!(found(&findings), [("deadlock", 1), ("left_at_exit", 1)]);
    for finding in findings.found() {
        assert!(finding.evidence.len() <= 6 && finding.text.contains("and 9"), "{finding}");
    }
}

#[test]
fn a_job_keeps_the_loop_alive_that_was_on_its_thread_at_the_end_whenever_that_is_told() {
    let told = |started: u64, ended: u64| {
        let mut lines = Lines::new();
        lines.add("job_new", r#""job":1,"by":"loop","site":1"#);
        lines.next = 100;
        lines.add("loop_end", r#""why":"stopped""#);
        lines.line(&format!(r#"{{"k":"job_start","n":101,"t":{started},"job":1,"waited":0}}"#));
        lines.line(&format!(r#"{{"k":"job_end","n":102,"t":{ended},"job":1,"took":1,"panicked":false}}"#));
        found(&checked(lines))
    };
    assert_eq!(told(50, 150), [("keeps_loop_alive", 1)]);
    assert_eq!(told(50, 90), [], "it had ended");
    assert_eq!(told(110, 150), [], "it had not begun");
}

#[test]
fn a_chain_that_branches_goes_on_once() {
    let mut lines = Lines::new();
    (0..100).for_each(|task| lines.spawn(task, "x", r#""loop""#));
    (1..100).for_each(|task| lines.add("permit_take", &format!(r#""line":1,"by":{{"task":{task}}}"#)));
    let wait = r#""line":1,"ticket":0,"wait":"acquire","by":{"task":0},"site":5"#;
    lines.poll(0, "acquire", 0, |lines| lines.add("line_wait", wait));
    let lines = why(&world(&lines.read()), TaskId(0)).unwrap();
    let waits = "It goes on when task 1 (x) or task 2 (x) or task 3 (x) or task 4 (x) or task 5 (x) or one of 94 others gives back";
    assert!(lines[1].trim_start().starts_with(waits), "{}", lines[1]);
    assert_eq!(lines.iter().filter(|line| *line == "The chain goes on.").count(), 1, "{lines:#?}");
}

#[test]
fn jobs_handed_over_at_once_are_not_gone_through_for_each() {
    let mut lines = Lines::new();
    for job in 0..MANY {
        lines.add("job_new", &format!(r#""job":{job},"by":"loop","site":1"#));
    }
    for job in 0..MANY {
        lines.add("job_start", &format!(r#""job":{job},"waited":1000000000"#));
        lines.add("job_end", &format!(r#""job":{job},"took":1,"panicked":false"#));
    }
    // All of one line, so that each has a right to wait for the others.
    assert_eq!(found(&checked(lines)), []);
}

#[test]
fn those_in_a_line_are_not_counted_for_each() {
    let mut lines = Lines::new();
    for task in 0..MANY {
        lines.spawn(task, "x", r#""loop""#);
        let wait = format!(r#""line":1,"ticket":{task},"wait":"get","by":{{"task":{task}}},"site":5"#);
        lines.poll(task, "get", 0, |lines| lines.add("line_wait", &wait));
    }
    lines.add("line_grant", r#""line":1,"ticket":7,"by":"loop""#);
    let world = world(&lines.read());
    let whys = oneloop::trace::findings::Whys::new(&world);
    let mut ahead = (0..MANY).map(|task| whys.of(TaskId(task)).unwrap().swap_remove(1));
    assert!(ahead.next().unwrap().ends_with("src/main.rs:5 (line 1)."));
    assert!(ahead.next().unwrap().ends_with("behind 1 other in the line."));
    assert!(ahead.next_back().unwrap().ends_with("behind 29998 others in the line."));
}

#[test]
fn tasks_are_not_gone_through_at_each_end_of_a_run_or_stop() {
    let mut lines = Lines::new();
    for task in 0..MANY {
        lines.spawn(task, if task % 2 == 0 { "main" } else { "x" }, r#""loop""#);
        if task % 4 == 0 {
            lines.add("task_end", &format!(r#""task":{task},"outcome":"done""#));
        }
        lines.add("job_new", &format!(r#""job":{task},"by":"loop","site":1"#));
        lines.add("job_start", &format!(r#""job":{task},"waited":0"#));
    }
    for turn in 0..MANY {
        lines.add("stuck", r#""tasks":9,"report":"","fatal":false"#);
        lines.add("loop_end", r#""why":"stopped""#);
        lines.add("turn_begin", &format!(r#""turn":{turn},"ready":0,"timers":0,"sources":0,"jobs":0"#));
    }
    let recording = lines.read();
    let mut narrator = Narrator::new();
    recording.events.iter().for_each(|event| narrator.follow(event));
    let findings = check_recording(&recording, Limits::default());
    assert_eq!(found(&findings), [("deadlock", MANY as usize)]);
}

#[test]
fn tickets_from_before_the_recording_are_not_gone_through_for_each() {
    let mut lines = Lines::new();
    lines.line(r#"{"k":"snapshot","n":0,"t":0,"step":"run","looked":0,"spawned":1,"ended":0}"#);
    let task = r#""task":0,"name":"x","by":"loop","site":3,"future":"f","size":1"#;
    lines.line(&format!(
        r#"{{"k":"snapshot_task",{task},"stand":"suspended","since":0,"suspended":["get",4],"wakers":0,"polls":1}}"#
    ));
    for line in 0..MANY {
        let waiter = r#""ticket":0,"wait":"get","by":{"task":0},"site":5,"n":0,"since":0"#;
        lines.line(&format!(r#"{{"k":"snapshot_line","line":{line},"waiters":[{{{waiter}}}]}}"#));
    }
    lines.next = 1;
    for line in (0..MANY).rev() {
        lines.add("line_leave", &format!(r#""line":{line},"ticket":0,"served":true,"by":"loop""#));
    }
    assert_eq!(found(&checked(lines)), []);
}

#[test]
fn rows_of_tasks_are_not_gone_through_for_each_handle_that_is_dropped() {
    let mut lines = Lines::new();
    (0..MANY).for_each(|task| lines.spawn(task + 1, "x", &format!(r#"{{"task":{task}}}"#)));
    (1..=MANY).for_each(|task| lines.add("handle_drop", &format!(r#""task":{task}"#)));
    assert_eq!(found(&checked(lines)), []);
}

#[test]
fn timers_and_sources_are_not_gone_through_for_each_circle() {
    let circle = |own: &str| {
        let mut lines = Lines::new();
        for task in 0..2 {
            lines.spawn(task, "x", r#""loop""#);
            let join = format!(r#""task":{},"by":{{"task":{task}}},"site":5"#, 1 - task);
            lines.poll(task, "join", 0, |lines| lines.add("join_wait", &join));
        }
        for other in 0..MANY / 2 {
            lines.add("timer_arm", &format!(r#""timer":{other},"by":{{"task":9}},"at":9"#));
            lines.add(
                "io_open",
                &format!(r#""source":{other},"what":"connection","by":{{"task":9}},"site":1"#),
            );
            lines.add("io_interest", &format!(r#""source":{other},"wait":"readable","by":{{"task":9}}"#));
        }
        if !own.is_empty() {
            lines.add(own.split(' ').next().unwrap(), own.split_once(' ').unwrap().1);
        }
        for turn in 0..MANY / 2 {
            let suspended = r#""suspended":["join",2],"wakers":0"#;
            lines.add("poll_end", &format!(r#""task":0,"poll":1,"took":0,{suspended}"#));
            lines.add("turn_end", &format!(r#""turn":{turn},"ready":0"#));
        }
        found(&checked(lines))
    };
    assert_eq!(circle(""), [("wait_cycle", MANY as usize / 2)]);
    // What may wake one of them opens the circle.
    assert_eq!(circle(r#"timer_arm "timer":0,"by":{"task":1},"at":9"#), []);
    assert_eq!(circle(r#"io_interest "source":0,"wait":"readable","by":{"task":1}"#), []);
}
