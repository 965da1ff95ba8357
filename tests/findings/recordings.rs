//! Recordings as they come out of files: cut short.

use std::fmt::Write;

use oneloop::trace::findings::{Findings, Limits, check_part, check_recording};
use oneloop::trace::read::Recording;

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
