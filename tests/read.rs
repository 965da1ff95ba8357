//! Recordings, as they should be and as they should not: cut, hostile, newer than this oneloop.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use oneloop::trace::export::{chrome, perfetto};
use oneloop::trace::findings::{Limits, MOST_FOUND, check_recording, why};
use oneloop::trace::fold::History;
use oneloop::trace::narrate::Narrator;
use oneloop::trace::read::{MAX_ARGS, MAX_LINE, MAX_NAME, ReadError, Recording};
use oneloop::trace::{Actor, EventKind, TaskId, TimerId, Wait, WakeEffect};

const HEADER: &str = r#"{"k":"oneloop","v":1,"program":"hello","args":["-x"],"level":"task"}"#;

/// A small recording: a task sleeps for a second.
const LINES: [&str; 9] = [
    r#"{"k":"site","id":5,"file":"src/main.rs","line":7,"col":9}"#,
    r#"{"k":"spawn","n":0,"t":0,"task":0,"name":"main","by":"loop","site":5,"future":"app::main","size":96}"#,
    r#"{"k":"turn_begin","n":1,"t":1000,"turn":0,"ready":1,"timers":0,"sources":0,"jobs":0}"#,
    r#"{"k":"poll_begin","n":2,"t":2000,"c":0,"task":0,"poll":1,"waited":2000}"#,
    r#"{"k":"timer_arm","n":3,"t":3000,"c":2,"timer":0,"by":{"task":0},"at":1000003000,"place":[1,15]}"#,
    r#"{"k":"poll_end","n":4,"t":4000,"c":2,"task":0,"poll":1,"took":2000,"suspended":["sleep",5],"wakers":1}"#,
    r#"{"k":"timer_fire","n":5,"t":1000103000,"c":3,"timer":0,"late":100000}"#,
    r#"{"k":"wake","n":6,"t":1000103000,"c":5,"task":0,"by":{"timer":0},"effect":"queued"}"#,
    r#"{"k":"task_end","n":9,"t":1000105000,"c":6,"task":0,"outcome":"cancelled","at":5}"#,
];

fn whole() -> String {
    format!("{HEADER}\n{}\n", LINES.join("\n"))
}

fn read(bytes: impl AsRef<[u8]>) -> Recording {
    Recording::read(bytes.as_ref()).expect("it is a recording")
}

fn refused(bytes: impl AsRef<[u8]>) -> String {
    Recording::read(bytes.as_ref()).expect_err("it is no recording").to_string()
}

/// Packs each part as a member of its own.
fn packed(parts: &[&str]) -> Vec<u8> {
    let members = parts.iter().map(|part| {
        let mut member = GzEncoder::new(Vec::new(), Compression::default());
        member.write_all(part.as_bytes()).expect("memory takes it");
        member.finish().expect("memory takes it")
    });
    members.collect::<Vec<_>>().concat()
}

fn shown(recording: &Recording) -> Vec<String> {
    recording.events.iter().map(|event| format!("{event:?}")).collect()
}

#[test]
fn lines_become_the_events_that_were_told() {
    let recording = read(whole());
    assert_eq!(recording.header.program, "hello");
    assert_eq!(recording.header.args, ["-x"]);
    assert_eq!(recording.header.level, "task");
    assert_eq!(recording.warnings(), Vec::<String>::new());
    let events = &recording.events;
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 9]);
    let EventKind::Spawn { task: TaskId(0), name, by: Actor::Loop, site, future: "app::main", size: 96 } =
        &events[0].kind
    else {
        panic!("{:?}", events[0])
    };
    assert_eq!((&**name, site.to_string().as_str()), ("main", "src/main.rs:7:9"));
    let EventKind::PollEnd { suspended: Some((Wait::Sleep, Some(at))), wakers: 1, .. } = events[4].kind
    else {
        panic!("{:?}", events[4])
    };
    assert_eq!((at, at.file), (*site, "src/main.rs"));
    assert_eq!((events[6].cause, events[6].time), (Some(5), Duration::from_nanos(1_000_103_000)));
    let wake = &events[6].kind;
    assert!(
        matches!(wake, EventKind::Wake { by: Actor::Timer(TimerId(0)), effect: WakeEffect::Queued, .. }),
        "{wake:?}"
    );
}

#[test]
fn packed_or_plain_in_one_member_or_in_many_it_is_the_same() {
    let plain = shown(&read(whole()));
    let whole = whole();
    assert_eq!(shown(&read(packed(&[&whole]))), plain);
    let (one, other) = whole.split_at(whole.len() / 2);
    assert_eq!(shown(&read(packed(&[one, "", other]))), plain);
}

#[test]
fn cut_at_any_byte_it_gives_what_came_before() {
    let whole = whole();
    let (one, other) = whole.split_at(whole.len() / 2);
    let all = shown(&read(&whole));
    for bytes in [whole.clone().into_bytes(), packed(&[one, other])] {
        let mut most = 0;
        for end in 0..bytes.len() {
            let Ok(recording) = Recording::read(&bytes[..end]) else {
                assert_eq!(most, 0, "cut at byte {end}, it gives nothing any more");
                continue;
            };
            let events = shown(&recording);
            assert!(events.len() >= most && all.starts_with(&events), "cut at byte {end}");
            most = events.len();
            if let Some(cut) = &recording.cut {
                let text = cut.to_string();
                assert!(text.contains(&format!("line {}", cut.line)), "{text}");
                assert_eq!(recording.warnings().len(), 1);
            }
            assert_eq!(recording.faults.count, 0, "cut at byte {end}");
        }
        assert!(most >= all.len() - 1);
    }
}

#[test]
fn a_cut_within_a_line_is_reported_with_its_line() {
    let whole = whole();
    let cut = read(&whole[..whole.len() - 20]).cut.expect("it is cut");
    assert_eq!((cut.line, cut.why.as_str()), (10, "it is cut in the middle of this line"));
    let bytes = packed(&[&whole]);
    let cut = read(&bytes[..bytes.len() - 12]).cut.expect("it is cut");
    assert!(cut.why.contains("stop in the middle"), "{cut}");
}

#[test]
fn kinds_and_fields_of_later_versions_are_passed_over() {
    let later = r#"{"k":"telepathy","n":10,"t":1,"mind":[1,2,{"deep":null}]}"#;
    let more = r#"{"k":"poll_begin","n":11,"t":1,"task":0,"poll":2,"waited":0,"mood":"good"}"#;
    let unheard_of =
        r#"{"k":"poll_end","n":12,"t":1,"task":0,"poll":2,"took":0,"suspended":["moonrise",5],"wakers":0}"#;
    let recording = read(format!("{}{later}\n{more}\n{unheard_of}\n", whole()));
    assert_eq!((recording.unknown, recording.faults.count), (1, 0));
    assert_eq!(recording.events.len(), 10);
    let last = &recording.events[9].kind;
    assert!(matches!(last, EventKind::PollEnd { suspended: Some((Wait::Custom, Some(_))), .. }), "{last:?}");
    assert!(recording.warnings()[0].contains("does not know"), "{:?}", recording.warnings());
}

#[test]
fn a_later_version_of_the_format_is_refused_with_a_clear_sentence() {
    let error = Recording::read(&br#"{"k":"oneloop","v":2}"#[..]).expect_err("it is newer");
    assert!(matches!(error, ReadError::Newer(2)));
    assert!(
        error.to_string().contains("version 2") && error.to_string().contains("up to version 1"),
        "{error}"
    );
}

#[test]
fn what_is_no_recording_is_refused_and_the_reason_given() {
    assert!(refused("").contains("it is empty"));
    assert!(refused("#!/bin/sh\n").contains("its first line is not"));
    assert!(refused([0x1f, 0x8b, 0, 0]).contains("its first line is cut"));
    assert!(refused(LINES.join("\n")).contains("its first line is not"));
    assert!(refused(&HEADER[..20]).contains("its first line is not"));
    assert!(refused("x".repeat(MAX_LINE + 1)).contains("far too long"));
    let missing = Recording::open("no/such/file").expect_err("there is none").to_string();
    assert!(missing.starts_with("it cannot be read"), "{missing}");
}

#[test]
fn lines_that_make_no_sense_are_counted_and_the_first_is_named() {
    let bad = [
        "not json",
        "[1]",
        r#"{"n":3}"#,
        r#"{"k":"wake","n":20,"t":0}"#,
        r#"{"k":"joined","n":20,"t":0,"task":-1}"#,
    ];
    for line in bad {
        let recording = read(format!("{HEADER}\n{line}\n{}\n", LINES.join("\n")));
        assert_eq!((recording.faults.count, recording.events.len()), (1, 8), "{line}");
        assert_eq!(recording.faults.first.as_ref().map(|(line, _)| *line), Some(2), "{line}");
        assert!(recording.warnings()[0].contains("line 2"), "{:?}", recording.warnings());
    }
    let again = read(format!("{}{}\n", whole(), LINES[3]));
    assert_eq!(again.faults.first.map(|(_, what)| what), Some("event 2 comes after event 9".into()));
    let too_long = read(format!("{HEADER}\n{}\n{}\n", "x".repeat(MAX_LINE + 1), LINES.join("\n")));
    assert_eq!((too_long.faults.count, too_long.events.len()), (1, 8));
}

#[test]
fn hostile_names_are_cut_and_cannot_break_a_line() {
    let name = format!("</script>\\u001b[2J\\n{}", "x".repeat(1 << 20));
    let site = r#"{"k":"site","id":5,"file":"a\nb\u001b[2J","line":7,"col":9}"#;
    let spawn = format!(
        r#"{{"k":"spawn","n":0,"t":0,"task":0,"name":"{name}","by":{{"thread":"{name}"}},"site":5,"future":"{name}","size":1}}"#
    );
    let recording = read(format!("{HEADER}\n{site}\n{spawn}\n"));
    let sentence = Narrator::new().sentence(&recording.events[0]);
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
    assert!(sentence.len() < 5 * MAX_NAME, "{} bytes", sentence.len());
    assert!(sentence.contains("</script>"), "what is text stays text: {sentence}");
}

#[test]
fn deep_nesting_and_enormous_numbers_do_no_harm() {
    let deep = format!(r#"{{"k":"wake","by":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let huge = r#"{"k":"turn_begin","n":18446744073709551615,"t":18446744073709551615,"turn":18446744073709551615,"ready":18446744073709551615,"timers":0,"sources":0,"jobs":0}"#;
    let float = r#"{"k":"turn_end","n":1e99,"t":0.5,"turn":0,"ready":0}"#;
    let recording = read(format!("{HEADER}\n{deep}\n{float}\n{huge}\n"));
    assert_eq!((recording.faults.count, recording.events.len()), (2, 1));
    let sentence = Narrator::new().sentence(&recording.events[0]);
    assert!(sentence.contains("18446744073709551615"), "{sentence}");
}

#[test]
fn what_was_seen_of_a_poll_that_goes_on_gives_way_to_what_comes_next() {
    let held_up = |took: u64| {
        format!(r#"{{"k":"held_up","n":3,"t":2000,"c":2,"th":"w","by":{{"task":0}},"took":{took}}}"#)
    };
    let begun = format!("{HEADER}\n{}\n{}\n", LINES[..4].join("\n"), held_up(1));
    let recording = read(&begun);
    assert!(matches!(recording.events[3].kind, EventKind::HeldUp { .. }), "{recording:?}");
    let longer = read(format!("{begun}{}\n", held_up(2)));
    let EventKind::HeldUp { by: Actor::Task(TaskId(0)), took } = longer.events[3].kind else {
        panic!("{longer:?}")
    };
    assert_eq!((longer.events.len(), took.as_nanos()), (4, 2));
    let over = read(format!("{begun}{}\n", LINES[4..].join("\n")));
    assert_eq!(shown(&over), shown(&read(whole())));
    assert_eq!(over.warnings(), Vec::<String>::new());
}

#[test]
fn a_file_that_unpacks_to_far_more_than_itself_costs_no_more_memory_than_a_line() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    writeln!(bomb, "{HEADER}").expect("memory takes it");
    for _ in 0..2 * (MAX_LINE >> 20) {
        bomb.write_all(&[b' '; 1 << 20]).expect("memory takes it");
    }
    write!(bomb, "\n{}\n", LINES.join("\n")).expect("memory takes it");
    let bomb = bomb.finish().expect("memory takes it");
    assert!(bomb.len() < MAX_LINE / 100, "{} bytes", bomb.len());
    let recording = read(bomb);
    assert_eq!((recording.faults.count, recording.events.len()), (1, 8));
    let what = recording.faults.first.expect("there is one").1;
    assert!(what.contains("longer than 16777216 bytes"), "{what}");
}

#[test]
fn events_in_any_order_with_ids_that_repeat_do_no_harm() {
    // Each line once more, everything backwards, from the middle on, and the same with only one id for all.
    let events: Vec<&str> = LINES.into_iter().filter(|line| line.contains("\"n\":")).collect();
    let doubled: Vec<&str> = events.iter().flat_map(|line| [*line; 2]).collect();
    let backwards: Vec<&str> = events.iter().rev().copied().collect();
    let orders = [doubled, backwards, events[4..].to_vec(), [&events[3..], &events[..3]].concat()];
    for order in orders {
        let mut text = format!("{HEADER}\n{}\n{}\n", LINES[0], LINES[0].replace("main.rs", "other.rs"));
        for (number, line) in order.iter().enumerate() {
            let (kind, rest) = line.split_once("\"n\":").expect("it has a number");
            let (_, rest) = rest.split_once(',').expect("and more");
            text.push_str(&format!("{kind}\"n\":{number},{rest}\n"));
        }
        let recording = read(&text);
        assert_eq!((recording.events.len(), recording.faults.count), (order.len(), 0));
        through_everything(&recording);
    }
}

/// Whatever is done with recordings.
fn through_everything(recording: &Recording) {
    drop(check_recording(recording, Limits::default()));
    let mut narrator = Narrator::new();
    recording.events.iter().for_each(|event| drop(narrator.sentence(event)));
    let mut history = History::beginning_with(recording.begin.clone(), recording.events.clone());
    for at in (0..=recording.events.len()).rev() {
        history.go(at);
        let tasks: Vec<_> = history.world().tasks.keys().copied().collect();
        tasks.into_iter().for_each(|task| drop(why(history.world(), task)));
    }
    chrome(recording, Vec::new()).expect("memory takes it");
    perfetto(recording, Vec::new()).expect("memory takes it");
}

/// Recordings that once did harm; the fuzzer's targets found them.
#[test]
fn what_once_did_harm_does_no_more() {
    let found = [
        // A task ends twice.
        r#"{"k":"spawn","n":1,"t":0,"task":1,"by":{"task":0},"site":5,"size":8}
           {"k":"task_end","n":2,"t":0,"task":1,"outcome":"done"}
           {"k":"task_end","n":3,"t":0,"task":1,"outcome":"done"}"#,
        // What comes after the snapshot has lower numbers, and a task was polled as often as can be counted.
        r#"{"k":"snapshot","n":1000,"t":9,"step":"run","looked":0,"running":{"task":1},"spawned":1,"ended":0}
           {"k":"snapshot_task","task":1,"stand":"running","since":9,"by":"loop","size":0,"wakers":0,"polls":4294967295}
           {"k":"poll_begin","n":1,"t":0,"task":1,"poll":1,"waited":0}"#,
        r#"{"k":"snapshot","n":1000,"t":9,"step":"run","looked":0,"running":{"task":1},"spawned":1,"ended":0}
           {"k":"snapshot_task","task":1,"stand":"running","since":9,"by":"loop","size":0,"wakers":0,"polls":4294967295}
           {"k":"turn_end","n":1,"t":0,"turn":0,"ready":0}"#,
        // As many tasks were spawned and have ended as can be counted.
        r#"{"k":"snapshot","n":18446744073709551615,"t":9,"step":"run","looked":0,"spawned":18446744073709551615,"ended":18446744073709551615}
           {"k":"spawn","n":1,"t":9,"task":1,"by":"loop","site":5,"size":8}
           {"k":"task_end","n":2,"t":9,"task":1,"outcome":"done"}"#,
    ];
    for lines in found {
        let recording = read(format!("{HEADER}\n{lines}\n"));
        assert_eq!(recording.faults.count, 0, "{:?}", recording.warnings());
        through_everything(&recording);
    }
}

#[test]
fn of_very_many_arguments_the_first_are_kept() {
    let header = format!(r#"{{"k":"oneloop","v":1,"args":[{}"x"]}}"#, r#""a","#.repeat(1 << 20));
    let args = read(header).header.args;
    assert_eq!(args.len(), MAX_ARGS);
}

#[test]
fn what_never_happens_is_checked_to_the_end() {
    let mut lines = vec![String::from(r#"{"k":"oneloop","v":1}"#), LINES[0].into()];
    let mut add = |what: String| {
        let n = lines.len();
        lines.push(format!(r#"{{"n":{n},"t":{n},{what}}}"#));
    };
    let poll = |task| format!(r#""k":"poll_begin","task":{task},"poll":1,"waited":0"#);
    let waits = |task| {
        format!(r#""k":"line_wait","line":1,"ticket":1,"wait":"lock","by":{{"task":{task}}},"site":5"#)
    };
    let end = |task, wait, took: u64| {
        format!(r#""k":"poll_end","task":{task},"poll":1,"took":{took},"suspended":["{wait}",5],"wakers":1"#)
    };
    // One ticket of two tasks: one was polled often, the other only once.
    for task in [1, 2] {
        add(format!(r#""k":"spawn","task":{task},"name":"x","by":"loop","site":5,"future":"f","size":1"#));
    }
    (0..5).for_each(|_| add(poll(2)));
    (1..3).for_each(|task| add(waits(task)));
    add(String::from(r#""k":"line_grant","line":1,"ticket":1,"by":"loop""#));
    add(poll(1));
    add(end(1, "sleep", 0));
    // A chain of tasks that wait for one another, with no end, and slow polls of nobody.
    for task in 10..3_000 {
        add(format!(r#""k":"spawn","task":{task},"name":"x","by":"loop","site":5,"future":"f","size":1"#));
        add(poll(task));
        add(format!(r#""k":"join_wait","task":{},"by":{{"task":{task}}},"site":5"#, task + 1));
        add(end(task, "join", 0));
    }
    add(String::from(r#""k":"turn_end","turn":0,"ready":0"#));
    for task in 100_000..115_000 {
        add(end(task, "sleep", 1_000_000_000).replace(",5]", "]"));
    }
    let recording = read(lines.join("\n"));
    assert!(recording.warnings().is_empty(), "{:?}", recording.warnings());
    assert_eq!(check_recording(&recording, Limits::default()).found().len(), MOST_FOUND);
}
