//! A file that claims to be a recording: read, gone through there and back, judged, put in words, converted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oneloop::trace::export::{chrome, perfetto};
use oneloop::trace::findings::{Limits, check_recording, why};
use oneloop::trace::fold::History;
use oneloop::trace::narrate::Narrator;
use oneloop::trace::read::Recording;

fuzz_target!(|bytes: &[u8]| {
    let recording = match Recording::read(bytes) {
        Ok(recording) => recording,
        Err(error) => return plain(&error.to_string()),
    };
    recording.warnings().iter().for_each(|warning| plain(warning));

    let mut narrator = Narrator::new();
    recording.events.iter().for_each(|event| plain(&narrator.sentence(event)));

    let findings = check_recording(&recording, Limits::default());
    findings.found().iter().for_each(|finding| plain(&finding.to_string().replace('\n', "")));

    let events = recording.events.len();
    let mut history = History::beginning_with(recording.begin.clone(), recording.events.clone());
    history.go(events);
    let end = history.world().clone();
    for task in end.tasks.keys().take(100) {
        why(&end, *task).into_iter().flatten().for_each(|line| plain(&line));
    }
    history.go(events / 2);
    let mut folded = recording.begin.clone().unwrap_or_default();
    recording.events[..events / 2].iter().for_each(|event| folded.apply(event));
    assert_eq!(*history.world(), folded, "going back is folding less");
    history.go(events);
    assert_eq!(*history.world(), end, "going there again is the same");

    let mut json = Vec::new();
    chrome(&recording, &mut json).expect("memory takes it");
    serde_json::from_slice::<serde_json::Value>(&json).expect("it is JSON");
    perfetto(&recording, &mut Vec::new()).expect("memory takes it");
});

/// Nothing that is shown drives the terminal.
fn plain(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}
