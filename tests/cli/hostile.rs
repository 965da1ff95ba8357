//! Recordings by somebody who means harm: whatever is shown of them drives no terminal, and no page.

use super::{LINES, oneloop, small};

/// What a terminal would obey: clear it, set its title, go back over the line, write the other way; what is not to be
/// seen; and what a page would obey.
const HARM: &str = r"\u001b[2J\u001b]0;x\u0007\r\u009b1A\u0000\u202e\u2028\u061c\u200b</script><script>";

/// Whether a letter does anything but be seen.
fn is_harm(letter: char) -> bool {
    const HIDDEN: [char; 4] = ['\u{202e}', '\u{2028}', '\u{61c}', '\u{200b}'];
    (letter.is_control() && letter != '\n') || HIDDEN.contains(&letter)
}

/// The small recording, where every text says that.
fn hostile() -> tempfile::TempDir {
    let folder = small();
    let header = format!(
        r#"{{"k":"oneloop","v":1,"program":"{HARM}","args":["{HARM}"],"folder":"{HARM}","level":"{HARM}","clock":"{HARM}","started":"{HARM}"}}"#
    );
    let mut lines = vec![header];
    lines.extend(LINES[1..].iter().map(|line| {
        let line = line.replace("waiter", HARM).replace("src/small.rs", HARM).replace("small::", HARM);
        line.replace("\"suspended\":[\"event\"", &format!("\"suspended\":[\"{HARM}\""))
    }));
    for (n, more) in [
        r#""k":"thread_start","thread":"HARM","th":"HARM""#,
        r#""k":"stuck","tasks":1,"report":"HARM""#,
        r#""k":"io_open","source":1,"what":"HARM","by":{"thread":"HARM"},"site":1"#,
        r#""k":"unheard","task":1,"name":"HARM","how":"HARM","text":"HARM""#,
        r#""k":"HARM""#,
        r#""k":"snapshot_HARM""#,
        r#""k":"wake","task":"HARM""#,
    ]
    .into_iter()
    .enumerate()
    {
        lines.push(format!(r#"{{"n":{},"t":2000000000,{}}}"#, n + 30, more.replace("HARM", HARM)));
    }
    lines.push(format!(r#"{{"k":"output","t":1,"stream":"stdout","text":"{HARM}","exact":true}}"#));
    std::fs::write(folder.path().join("hostile.trace"), lines.join("\n") + "\n").unwrap();
    folder
}

#[test]
fn nothing_that_a_recording_says_drives_the_terminal() {
    let folder = hostile();
    let all =
        "n 99\ngo 3\nshow\ntasks\ntimers\nshow io\npool\noutput\ntask 1\nwhy\nwhy 1\nto finding\nwhere\n";
    for (args, input) in [
        (&["play", "hostile.trace"][..], all),
        (&["check", "hostile.trace"], ""),
        (&["why", "hostile.trace"], ""),
        (&["why", "hostile.trace", "nobody"], ""),
        (&["summary", "hostile.trace"], ""),
        (&["page", "hostile.trace"], ""),
        (&["page", "a\u{1b}[2J\u{202e}.trace"], ""),
    ] {
        let output = oneloop(folder.path(), args, input);
        assert!(output.status.code().is_some(), "{args:?} was ended: {output:?}");
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text).unwrap();
            assert!(
                !text.contains(is_harm),
                "{args:?}: {:?}",
                text.lines().find(|line| line.contains(is_harm))
            );
        }
    }
}

#[test]
fn what_a_recording_says_stays_within_its_strings_in_other_formats() {
    let folder = hostile();
    for format in ["--chrome", "--perfetto"] {
        let output = oneloop(folder.path(), &["export", "hostile.trace", format, "-o", "out"], "");
        assert!(output.status.success(), "{output:?}");
        let bytes = std::fs::read(folder.path().join("out")).unwrap();
        if format == "--chrome" {
            serde_json::from_slice::<serde_json::Value>(&bytes).expect("it is JSON");
            assert!(!bytes.contains(&0x1b));
        }
    }
}

#[test]
fn what_a_recording_says_does_not_become_part_of_a_page() {
    let folder = hostile();
    let tags = |file: &str| {
        let output = oneloop(folder.path(), &["page", file, "-o", "out.html"], "");
        assert!(output.status.success(), "{output:?}");
        let page = std::fs::read_to_string(folder.path().join("out.html")).unwrap();
        assert!(!page.contains('\u{1b}'));
        page.matches("<script").count()
    };
    assert_eq!(tags("hostile.trace"), tags("small.trace"));
}
