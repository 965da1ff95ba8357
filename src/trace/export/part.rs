//! Chapter 35, part 50: a part of a recording, as a recording of its own.
//!
//! What was before its first event is in it as a snapshot (`trace/record/snapshot.rs`), so that all that can be asked of
//! the whole can be asked of the part.
//!
//! Before: `trace/export/perfetto.rs`. Next: `trace/findings.rs`.

use std::io::{self, Write};
use std::ops::RangeInclusive;

use crate::trace::fold::World;
use crate::trace::read::{Header, Output, Recording, VERSION};
use crate::trace::record::{Lines, json};

/// So many bytes of lines are written together.
const PIECE: usize = 1 << 16;

/// Writes the events of these numbers.
pub(super) fn write(
    recording: &Recording,
    events: RangeInclusive<u64>,
    mut out: impl Write,
) -> io::Result<()> {
    let all = &recording.events;
    let from = all.partition_point(|event| event.seq < *events.start());
    let to = all.partition_point(|event| event.seq <= *events.end()).max(from);
    let mut world = recording.begin.clone().unwrap_or_default();
    all[..from].iter().for_each(|event| world.apply(event));
    let (mut lines, mut text) = (Lines::new(), Vec::new());
    header(&recording.header, from, to < all.len(), &mut text);
    if world != World::new() {
        lines.world(&world, &mut text);
    }
    let written = |after: usize| recording.output.partition_point(|written| written.after < after);
    let mut written = recording.output[written(from)..written(to + 1)].iter().peekable();
    for (index, event) in all.iter().enumerate().take(to).skip(from) {
        while let Some(written) = written.next_if(|written| written.after <= index) {
            output(written, &mut text);
        }
        lines.event(event, &mut text);
        if text.len() >= PIECE {
            out.write_all(&text)?;
            text.clear();
        }
    }
    written.for_each(|written| output(written, &mut text));
    out.write_all(&text)?;
    out.flush()
}

/// The first line: that of the whole, how many events were before, and whether there are some after.
fn header(header: &Header, before: usize, after: bool, out: &mut Vec<u8>) {
    let Header { program, args, level, clock, started, folder, lost, goes_on, .. } = header;
    out.extend_from_slice(format!("{{\"k\":\"oneloop\",\"v\":{VERSION},\"args\":[").as_bytes());
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::string(out, arg);
    }
    out.push(b']');
    let texts =
        [("program", program), ("level", level), ("clock", clock), ("started", started), ("folder", folder)];
    for (name, text) in texts {
        out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        json::string(out, text);
    }
    let (lost, goes_on) = (lost.saturating_add(before as u64), *goes_on || after);
    out.extend_from_slice(format!(",\"lost\":{lost},\"goes_on\":{goes_on}}}\n").as_bytes());
}

fn output(output: &Output, out: &mut Vec<u8>) {
    let Output { time, stderr, exact, text, .. } = output;
    let stream = if *stderr { "stderr" } else { "stdout" };
    let line = format!(
        "{{\"k\":\"output\",\"t\":{},\"stream\":\"{stream}\",\"exact\":{exact},\"text\":",
        time.as_nanos()
    );
    out.extend_from_slice(line.as_bytes());
    json::string(out, text);
    out.extend_from_slice(b"}\n");
}
