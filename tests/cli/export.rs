//! `oneloop export`: what is written is what the formats ask for.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use serde_json::Value;

use super::{LINES, oneloop, said, small};

fn chrome() -> Vec<Value> {
    let folder = small();
    let text = said(folder.path(), &["export", "--chrome", "-o", "-", "small.trace"], "");
    let json: Value = serde_json::from_str(&text).expect("it is JSON");
    json["traceEvents"].as_array().expect("a list").clone()
}

fn of<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["ph"] == phase).collect()
}

fn ns(event: &Value, field: &str) -> i64 {
    (event[field].as_f64().unwrap() * 1_000.0).round() as i64
}

#[test]
fn chromes_slices_of_a_thread_do_not_overlap() {
    let events = chrome();
    let mut slices: Vec<_> =
        of(&events, "X").iter().map(|slice| (ns(slice, "ts"), ns(slice, "dur"))).collect();
    slices.sort_unstable();
    assert!(slices.len() >= 5);
    for pair in slices.windows(2) {
        assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{pair:?}");
    }
    let polls =
        of(&events, "X").into_iter().filter(|slice| slice["name"].as_str().unwrap().starts_with("poll"));
    assert_eq!(polls.count(), 3);
}

#[test]
fn chromes_asynchronous_slices_nest_and_all_of_them_end() {
    let mut open: HashMap<u64, Vec<String>> = HashMap::new();
    for event in &chrome() {
        let name = || event["name"].as_str().unwrap().to_owned();
        let stack = event["id"].as_u64().map(|id| open.entry(id).or_default());
        match event["ph"].as_str().unwrap() {
            "b" => stack.unwrap().push(name()),
            "e" => assert_eq!(stack.unwrap().pop(), Some(name())),
            _ => {}
        }
    }
    assert!(open.values().all(Vec::is_empty), "{open:?}");
}

#[test]
fn chromes_arrows_have_two_ends_each_within_a_slice() {
    let events = chrome();
    let (starts, ends) = (of(&events, "s"), of(&events, "f"));
    assert_eq!((starts.len(), ends.len()), (2, 2), "the spawning of task 1, and the wake of task 0");
    for (start, end) in starts.iter().zip(&ends) {
        assert_eq!((&start["id"], &start["cat"], &start["name"]), (&end["id"], &end["cat"], &end["name"]));
        assert_eq!(end["bp"], "e");
        for mark in [start, end] {
            let at = ns(mark, "ts");
            let within =
                |slice: &&Value| (ns(slice, "ts")..=ns(slice, "ts") + ns(slice, "dur")).contains(&at);
            assert!(of(&events, "X").iter().any(within), "{mark}");
        }
    }
}

#[test]
fn chromes_threads_are_named_once() {
    let folder = small();
    let mut lines = vec![LINES[0].to_owned(), LINES[1].to_owned()];
    let thread = r#""th":"worker""#;
    for n in (0..12).step_by(3) {
        for (n, more) in [
            (n, String::from(r#""k":"job_new","by":"loop","site":1"#)),
            (n + 1, format!(r#""k":"job_start",{thread},"waited":0"#)),
            (n + 2, format!(r#""k":"job_end",{thread},"took":1000,"panicked":false"#)),
        ] {
            lines.push(format!(r#"{{"n":{n},"t":{},"job":{},{more}}}"#, n * 1_000, n / 3));
        }
    }
    fs::write(folder.path().join("jobs.trace"), lines.join("\n") + "\n").unwrap();
    let json: Value =
        serde_json::from_str(&said(folder.path(), &["export", "--chrome", "-o", "-", "jobs.trace"], ""))
            .unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let named = of(events, "M").into_iter().filter(|event| event["args"]["name"] == "worker");
    assert_eq!((named.count(), of(events, "X").len()), (1, 4), "{events:#?}");
}

/// The fields of a message: numbers, or bytes.
#[derive(Debug)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

type Message = BTreeMap<u64, Vec<Field>>;

/// Reads protobuf without knowing what it is about.
fn message(mut bytes: &[u8]) -> Message {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = bytes.split_first().expect("a varint ends");
            *bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return number;
            }
        }
        panic!("a varint is too long");
    }
    let mut fields = Message::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => {
                let (number, rest) = bytes.split_first_chunk::<8>().expect("eight bytes");
                bytes = rest;
                Field::Number(u64::from_le_bytes(*number))
            }
            2 => {
                let length = varint(&mut bytes) as usize;
                let (piece, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(piece.to_vec())
            }
            other => panic!("no field is of wire type {other}"),
        };
        fields.entry(key >> 3).or_default().push(field);
    }
    fields
}

fn number(message: &Message, field: u64) -> Option<u64> {
    match message.get(&field)?.as_slice() {
        [Field::Number(number)] => Some(*number),
        other => panic!("field {field}: {other:?}"),
    }
}

fn bytes(message: &Message, field: u64) -> Option<&[u8]> {
    match message.get(&field)?.as_slice() {
        [Field::Bytes(bytes)] => Some(bytes),
        other => panic!("field {field}: {other:?}"),
    }
}

#[test]
fn perfettos_packets_describe_each_track_once_and_all_slices_end() {
    let folder = small();
    said(folder.path(), &["export", "--perfetto", "small.trace"], "");
    let trace = fs::read(folder.path().join("small.perfetto-trace")).unwrap();
    let trace = message(&trace);
    assert_eq!(trace.keys().collect::<Vec<_>>(), [&1], "a trace is packets");
    let (mut tracks, mut open, mut flows) = (HashMap::new(), HashMap::<u64, usize>::new(), Vec::new());
    let (mut last, mut names) = (0, Vec::new());
    for packet in &trace[&1] {
        let Field::Bytes(packet) = packet else { panic!("{packet:?}") };
        let packet = message(packet);
        assert_eq!(number(&packet, 10), Some(1), "trusted_packet_sequence_id");
        if let Some(described) = bytes(&packet, 60).map(message) {
            let uuid = number(&described, 1).expect("a track has a uuid");
            let parent = number(&described, 5);
            assert!(parent.is_none_or(|parent| tracks.contains_key(&parent)), "the parent comes first");
            assert!(tracks.insert(uuid, parent).is_none(), "a track is described once");
            continue;
        }
        let event = message(bytes(&packet, 11).expect("a track event"));
        let at = number(&packet, 8).expect("a timestamp");
        assert!(at >= last, "in the order of time");
        last = at;
        let track = number(&event, 11).expect("an event has a track");
        assert!(tracks.contains_key(&track));
        match number(&event, 9).expect("an event has a type") {
            1 => {
                *open.entry(track).or_default() += 1;
                names.push(
                    String::from_utf8(bytes(&event, 23).expect("a slice has a name").to_vec()).unwrap(),
                );
            }
            2 => *open.get_mut(&track).expect("it is open") -= 1,
            3 => flows.push(number(&event, 47).expect("a flow begins")),
            4 => assert!(number(&event, 30).is_some(), "a counter has a value"),
            other => panic!("no type of events is {other}"),
        }
        if let Some(flow) = number(&event, 48) {
            assert!(flows.contains(&flow), "a flow ends that has begun");
        }
    }
    assert!(open.values().all(|depth| *depth == 0), "{open:?}");
    assert_eq!((tracks.len(), flows.len()), (5, 2), "process, queue, loop and two tasks");
    for name in
        ["poll task 0 (main)", "task 1 (waiter)", "waiting for a sleep, at src/small.rs:4", "wake and fire"]
    {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
}

#[test]
fn a_format_is_asked_for_and_the_recording_is_not_written_over() {
    let folder = small();
    let output = oneloop(folder.path(), &["export", "small.trace"], "");
    assert!(!output.status.success());
    let output = oneloop(folder.path(), &["export", "--chrome", "-o", "small.trace", "small.trace"], "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("written over"), "{error}");
}

#[test]
fn a_part_can_be_asked_what_the_whole_can() {
    let folder = small();
    let part = ["export", "small.trace", "--part", "--from", "8", "--to", "12", "-o", "part.trace"];
    said(folder.path(), &part, "");
    let commands = "go 11\nshow tasks\ntimers\nwhy\n";
    let (whole, part) = (
        said(folder.path(), &["play", "small.trace"], commands),
        said(folder.path(), &["play", "part.trace"], commands),
    );
    assert!(part.contains("It begins in the middle of the run"), "{part}");
    let asked = |text: &str| text.split_once("event 11 ").expect("it goes there").1.to_owned();
    assert_eq!(asked(&part), asked(&whole));
    let before = said(folder.path(), &["play", "part.trace"], "go 3\n");
    assert!(before.contains("Event 3 is not known: the first that is, is event 8."), "{before}");
}

#[test]
fn who_was_there_before_a_part_begins_is_known_to_every_command() {
    let folder = small();
    let say = |args: &[&str]| said(folder.path(), args, "c\ntasks\n");
    say(&["export", "--part", "--from", "10", "-o", "part.trace", "small.trace"]);
    // It was spawned, polled and suspended before.
    for command in ["summary", "why", "play"] {
        let text = say(&[command, "part.trace"]);
        assert!(text.contains("task 1 (waiter)") && text.contains("src/small.rs:8"), "{command}: {text}");
    }
    let json: Value = serde_json::from_str(&say(&["export", "--chrome", "-o", "-", "part.trace"])).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let names: Vec<&str> = of(events, "b").iter().map(|slice| slice["name"].as_str().unwrap()).collect();
    assert_eq!(
        names[2..4],
        ["task 1 (waiter)", "waiting for an event to be set, at src/small.rs:8"],
        "{names:?}"
    );
    say(&["page", "part.trace", "-o", "part.html"]);
    let page = fs::read_to_string(folder.path().join("part.html")).unwrap();
    assert!(page.contains("waiter"), "{page}");
}
