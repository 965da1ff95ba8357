//! `oneloop page`: what is on the page, and what is never there. How it behaves in a browser is tested from `.ci/run`,
//! with what the last of these tests writes.

mod sources;
mod state;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use oneloop::trace::page::{self, Side, Source};
use oneloop::trace::read::Recording;
use serde_json::{Value, json};

/// A name that would do harm if it were taken for a part of the page.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)><!--\u{2028}\u{202e}\u{1b}[2J'\"&amp;";

const HEADER: &str =
    r#"{"k":"oneloop","v":1,"program":"target/small","args":["--fast"],"level":"task","clock":"virtual"}"#;

/// A recording of tasks that sleep in turns, until there are so many events. All of it says `name` where it can.
fn long(events: u64, name: &str) -> String {
    let mut lines = vec![HEADER.to_owned()];
    let file = |name: &str| json!({"k": "site", "id": 1, "file": name, "line": 3, "col": 5}).to_string();
    lines.push(file(if name == "task" { "src/small.rs" } else { name }));
    let mut n = 0;
    let mut event = |k: &str, t: u64, c: Option<u64>, mut fields: Value| {
        let about = json!({"k": k, "n": n, "t": t});
        fields.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        if let Some(cause) = c {
            fields["c"] = cause.into();
        }
        lines.push(fields.to_string());
        n += 1;
        n - 1
    };
    let spawned: Vec<u64> = (0..100)
        .map(|task| event("spawn", 0, None, json!({"task": task, "name": format!("{name} {task}"), "by": "loop", "site": 1, "future": name, "size": 96})))
        .collect();
    let (mut woken, mut turn) = (spawned, 0);
    while event(
        "turn_begin",
        turn * 1_000_000,
        None,
        json!({"turn": turn, "ready": 1, "timers": 99, "sources": 0, "jobs": 0}),
    ) < events
    {
        let (task, t) = ((turn % 100) as usize, turn * 1_000_000);
        let round = turn / 100 + 1;
        if round > 1 {
            let timer = turn - 100;
            let fired = event("timer_fire", t, None, json!({"timer": timer, "late": 10}));
            woken[task] = event(
                "wake",
                t,
                Some(fired),
                json!({"task": task, "by": {"timer": timer}, "effect": "queued"}),
            );
        }
        let poll = event(
            "poll_begin",
            t + 10,
            Some(woken[task]),
            json!({"task": task, "poll": round, "waited": 10}),
        );
        event(
            "timer_arm",
            t + 20,
            Some(poll),
            json!({"timer": turn, "by": {"task": task}, "at": t + 100_000_000, "place": [1, turn % 64]}),
        );
        event(
            "poll_end",
            t + 400_000,
            Some(poll),
            json!({"task": task, "poll": round, "took": 390_000, "suspended": ["sleep", 1], "wakers": 0}),
        );
        event("turn_end", t + 400_010, None, json!({"turn": turn, "ready": 0}));
        turn += 1;
    }
    lines.push(
        json!({"k": "output", "t": 5, "stream": "stdout", "text": format!("{name}\nsecond line\n")})
            .to_string(),
    );
    lines.join("\n") + "\n"
}

/// A recording of one task that awaits thousands and hands out thousands of permits, and of hundreds that wait in line.
fn crowd() -> String {
    let mut lines = vec![HEADER.to_owned()];
    lines.push(json!({"k": "site", "id": 1, "file": "src/crowd.rs", "line": 3, "col": 5}).to_string());
    let task = |id: u64| json!({"task": id});
    let joins = (0..4_200).map(|n| json!({"k": "join_wait", "task": n + 2, "by": task(1), "site": 1}));
    let takes = (0..4_200).map(|n| json!({"k": "permit_take", "line": 1, "by": task(n % 3_000)}));
    let waits = (0..900).map(|n| {
        let (who, site) = (task(n % 300 / 7), 1 + n % 2);
        json!({"k": "line_wait", "line": 1 + n % 2, "ticket": n % 300, "wait": "acquire", "by": who, "site": site})
    });
    let ends = (0..600).map(|n| match n % 3 {
        0 => json!({"k": "line_grant", "line": 1 + n % 2, "ticket": n % 300, "by": "loop"}),
        1 => json!({"k": "line_leave", "line": 1 + n % 2, "ticket": n % 300, "served": true, "by": "loop"}),
        _ => json!({"k": "line_leave", "line": 3, "ticket": n, "served": false, "by": "loop"}),
    });
    let releases = (0..4_200).map(|n| json!({"k": "permit_release", "line": 1, "by": task(4_199 - n)}));
    let events = joins.chain(takes).chain(waits).chain(ends).chain(releases);
    lines.extend(events.enumerate().map(|(n, mut event)| {
        (event["n"], event["t"]) = (n.into(), (1_000 * n).into());
        event.to_string()
    }));
    lines.join("\n") + "\n"
}

/// A recording that says twice what happens once.
fn twice() -> String {
    let mut lines = vec![HEADER.to_owned()];
    lines.push(json!({"k": "site", "id": 1, "file": "src/twice.rs", "line": 3, "col": 5}).to_string());
    let spawn = |task: u64| json!({"k": "spawn", "task": task, "name": "t", "by": "loop", "site": 1, "future": "f", "size": 1});
    let call = |callback: u64| json!({"k": "callback_new", "callback": callback, "by": "loop", "site": 1});
    let poll = json!({"k": "poll_begin", "task": 1, "poll": 1, "waited": 0});
    let begin = json!({"k": "callback_begin", "callback": 1});
    let events = [spawn(1), call(1), spawn(2), call(1), spawn(1), call(2), poll, spawn(1), begin, call(1)];
    lines.extend(events.into_iter().enumerate().map(|(n, mut event)| {
        (event["n"], event["t"]) = (n.into(), (1_000 * n).into());
        event.to_string()
    }));
    lines.join("\n") + "\n"
}

fn read(text: &str) -> Recording {
    Recording::read(text.as_bytes()).unwrap()
}

fn page_of(name: &str, recording: &Recording, sources: Vec<Source>) -> String {
    let mut page = Vec::new();
    page::page(&[Side { name: name.into(), recording, sources }], &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// What a page holds.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"text/plain\" class=\"recording\">").unwrap();
    let (text, _) = rest.split_once("</script>").unwrap();
    let (mut bits, mut number, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bits = bits << 6 | letters.iter().position(|other| *other == letter).expect("base64") as u32;
        number += 6;
        if number >= 8 {
            number -= 8;
            bytes.push((bits >> number) as u8);
        }
    }
    let mut json = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut json).unwrap();
    serde_json::from_str(&json).unwrap()
}

#[test]
fn a_page_holds_the_events_of_the_recording() {
    let recording = read(&long(200, "task"));
    let data = data(&page_of("small", &recording, Vec::new()));
    let events = data["events"].as_array().unwrap();
    assert_eq!(events.len(), recording.events.len());
    for (line, event) in events.iter().zip(&recording.events) {
        assert_eq!(
            (line["n"].as_u64(), line["t"].as_u64()),
            (Some(event.seq), Some(event.time.as_nanos() as u64))
        );
    }
    assert_eq!(data["sites"][0]["file"], "src/small.rs");
    assert_eq!(data["said"].as_array().unwrap().len(), 2 * events.len());
    assert_eq!(data["output"][0]["text"], "task\nsecond line\n");
    assert_eq!((&data["args"][0], &data["clock"]), (&json!("--fast"), &json!("virtual")));
}

#[test]
fn whatever_a_recording_says_the_markup_of_the_page_is_the_same() {
    let (tame, hostile) = (read(&long(50, "task")), read(&long(50, HOSTILE)));
    let source = |text: &str| Source { file: text.into(), text: Ok(text.into()), library: false };
    let (tame, hostile) =
        (page_of("task", &tame, vec![source("task")]), page_of(HOSTILE, &hostile, vec![source(HOSTILE)]));
    for piece in ["<script", "</script", "<img", "<!--", "<style", "</title"] {
        assert_eq!(hostile.matches(piece).count(), tame.matches(piece).count(), "{piece}");
    }
    assert!(!hostile.chars().any(|letter| letter == '\u{2028}' || (letter.is_control() && letter != '\n')));
    assert!(hostile.contains("&lt;/script&gt;&lt;img"), "its title is its name");
    let texts = data(&hostile);
    assert_eq!(texts["events"][0]["name"], format!("{HOSTILE} 0"), "the events are as they were recorded");
    assert!(!texts["output"][0]["text"].as_str().unwrap().contains('\u{1b}'));
}

#[test]
fn the_policy_forbids_requests_and_scripts_that_are_not_named() {
    let page = page_of("small", &read(&long(10, "task")), Vec::new());
    let (_, rest) = page.split_once("<meta http-equiv=\"Content-Security-Policy\" content=\"").unwrap();
    let (policy, _) = rest.split_once('"').unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    let scripts = page.matches("<script>").count();
    assert_eq!(policy.matches("'sha256-").count(), scripts + 1, "the scripts, and the style");
    for forbidden in ["src=\"", "@import", "url(", " onclick=", "eval(", "innerHTML", "style=\""] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

fn oneloop(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oneloop"))
        .args(args)
        .current_dir(folder)
        .env_remove("ONELOOP")
        .output()
        .unwrap()
}

/// A folder with `small.trace`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.trace"), long(50, "task")).unwrap();
    folder
}

#[test]
fn two_recordings_are_on_one_page() {
    let folder = folder();
    fs::write(folder.path().join("other.trace"), long(20, "other")).unwrap();
    let output = oneloop(folder.path(), &["page", "small.trace", "other.trace", "-o", "-"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(page.matches("class=\"recording\"").count(), 2, "{:?}", output.stderr);
    assert!(page.contains("<title>small · other – oneloop</title>"));
}

#[test]
fn a_recording_is_not_written_over_by_whatever_name() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let before = fs::read(path("small.trace")).unwrap();
    fs::hard_link(path("small.trace"), path("hard")).unwrap();
    symlink(path("small.trace"), path("soft")).unwrap();
    for name in ["small.trace", "./small.trace", "hard", "soft"] {
        for args in
            [&["page", "small.trace", "-o", name][..], &["export", "--chrome", "small.trace", "-o", name]]
        {
            let output = oneloop(folder.path(), args);
            assert_eq!(output.status.code(), Some(2));
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(error.contains(&format!("{name}: the recording would be written over")), "{error}");
        }
    }
    assert!(fs::read(path("small.trace")).unwrap() == before);
}

/// Programs that are recorded for the browser: how, and with which arguments.
const PROGRAMS: [(&str, &str, &[&str]); 7] = [
    ("hello", ",virtual", &[]),
    ("hello_three", ",level=frame,virtual", &[]),
    ("sleep", ",virtual", &[]),
    ("event_loop", ",virtual", &[]),
    ("spinner", ",level=frame", &[]),
    ("files", "", &[]),
    ("crawler", ",level=frame", &["--limit", "20", "--pages", "1..4", "--out"]),
];

#[test]
#[ignore = "writes recordings, pages and states to the folder ONELOOP_PAGES, for fold.mjs and .ci/check_page.mjs"]
fn write_what_the_browser_is_to_show() {
    let folder = std::env::var("ONELOOP_PAGES").expect("ONELOOP_PAGES names a folder");
    let folder = Path::new(&folder);
    let examples = Path::new(env!("CARGO_BIN_EXE_oneloop")).with_file_name("examples");
    for (name, how, args) in PROGRAMS {
        let mut command = Command::new(examples.join(name));
        command
            .args(args)
            .env("ONELOOP", format!("record={}{how}", folder.join(format!("{name}.trace")).display()));
        if !args.is_empty() {
            command.arg(folder.join("out"));
        }
        assert!(command.output().unwrap().status.success(), "{name}");
    }
    fs::write(folder.join("hostile.trace"), long(200, HOSTILE)).unwrap();
    fs::write(folder.join("long.trace"), long(100_000, "task")).unwrap();
    fs::write(folder.join("crowd.trace"), crowd()).unwrap();
    fs::write(folder.join("twice.trace"), twice()).unwrap();
    // One that begins in the middle, with a snapshot.
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (whole, part) = (path("crawler.trace"), path("part.trace"));
    let part = ["export", "--part", "--from", "300", "--to", "900", &whole, "-o", &part];
    assert!(oneloop(Path::new("."), &part).status.success());
    for name in
        PROGRAMS.map(|(name, ..)| name).into_iter().chain(["part", "hostile", "long", "crowd", "twice"])
    {
        let trace = format!("{name}.trace");
        let began = Instant::now();
        let output = oneloop(Path::new("."), &["page", folder.join(&trace).to_str().unwrap()]);
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(began.elapsed() < Duration::from_secs(120));
        write_states(folder, name, &Recording::open(folder.join(&trace)).unwrap());
    }
    let pair =
        ["page".into(), path("hello.trace"), path("hello_three.trace"), "-o".into(), path("pair.html")];
    assert!(oneloop(Path::new("."), &pair.each_ref().map(String::as_str)).status.success());
    fs::write(folder.join("none.trace"), format!("{HEADER}\n")).unwrap();
    for (one, other) in [("none", "none"), ("none", "hello"), ("hello", "none")] {
        let [first, second, page] = [
            path(&format!("{one}.trace")),
            path(&format!("{other}.trace")),
            path(&format!("{one}-{other}.html")),
        ];
        assert!(oneloop(Path::new("."), &["page", &first, &second, "-o", &page]).status.success());
    }
}

/// The state after each event, or, if they are many, after some of them.
fn write_states(folder: &Path, name: &str, recording: &Recording) {
    let (mut world, mut states) = (recording.begin.clone().unwrap_or_default(), Vec::new());
    let step = recording.events.len() / 300 + 1;
    for (index, event) in recording.events.iter().enumerate() {
        world.apply(event);
        if (index + 1) % step == 0 || index + 1 == recording.events.len() {
            states.push(json!([index + 1, state::state(&world)]));
        }
    }
    let mut file = fs::File::create(folder.join(format!("{name}.states.json"))).unwrap();
    file.write_all(json!(states).to_string().as_bytes()).unwrap();
}
