//! Chapter 35, part 44: one line as what it says.
//!
//! Lines build on one another: a place is defined before it is used.
//!
//! Before: `trace/read/snapshot.rs`. Next: `trace/export.rs`.

use std::time::Duration;

use serde_json::Value;

use super::fields::{Fault, Fields};
use super::sites::Sites;
use super::snapshot::Snapshot;
use super::{Header, MAX_ARGS, Output, kinds, names};
use crate::trace::event::Event;
use crate::trace::fold::World;

/// Turns the lines of one recording, or of one connection to a program, into what they say; in their order.
///
/// It is bounded, and takes anything: what a line may hold is cut to the limits of [`read`](super), but it is for the
/// caller to limit the length of a line.
#[derive(Debug, Default)]
pub struct Decoder {
    sites: Sites,
    /// The state that was told of, until somebody takes it.
    snapshot: Option<Box<Snapshot>>,
}

/// What a line says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Item {
    /// It is the header.
    Header(Header),
    /// Something happened.
    Event(Event),
    /// The program wrote something. How many events came before is not known here: `after` is 0.
    Output(Output),
    /// A definition, which was taken up.
    Table,
    /// A kind that is not known, from a later version.
    Unknown,
}

impl Decoder {
    /// For the first line.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// What a line says.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn decode(&mut self, line: &[u8]) -> Result<Item, String> {
        let line = match serde_json::from_slice(line) {
            Ok(Value::Object(line)) => line,
            Ok(_) => return Err("it is no JSON object".into()),
            Err(error) => return Err(format!("it is no JSON: {error}")),
        };
        let fields = Fields(&line);
        match fields.text("k")? {
            "oneloop" => header(&fields).map(Item::Header),
            "site" => self.sites.define(&fields).map(|()| Item::Table),
            "snapshot" => {
                self.snapshot = Some(Box::new(Snapshot::begin(&fields)?));
                Ok(Item::Table)
            }
            kind if kind.starts_with("snapshot_") => self.add_to_snapshot(kind, &fields),
            "output" => output(&fields).map(Item::Output),
            kind => match kinds::decode(kind, &fields, &self.sites)? {
                Some(kind) => {
                    let (seq, time) = (fields.number("n")?, fields.time("t")?);
                    let cause = fields.maybe_number("c")?;
                    let thread = fields.maybe("th").and_then(Value::as_str).map(names::name);
                    Ok(Item::Event(Event { seq, time, cause, thread, kind }))
                }
                None => Ok(Item::Unknown),
            },
        }
    }

    /// The state of the loop that the lines so far have told of, if they have since the last time.
    pub fn take_snapshot(&mut self) -> Option<World> {
        self.snapshot.take().map(|snapshot| snapshot.end())
    }

    fn add_to_snapshot(&mut self, kind: &str, fields: &Fields<'_>) -> Result<Item, Fault> {
        let Some(mut snapshot) = self.snapshot.take() else {
            return Err("a line of a snapshot, but there is no snapshot before it".into());
        };
        let known = snapshot.add(kind, fields, &self.sites);
        self.snapshot = Some(snapshot);
        Ok(if known? { Item::Table } else { Item::Unknown })
    }
}

fn header(fields: &Fields<'_>) -> Result<Header, Fault> {
    let text = |name| names::name(fields.maybe_text(name)).as_ref().to_owned();
    let args = fields.maybe("args").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let args = args.iter().take(MAX_ARGS).filter_map(Value::as_str);
    let args = args.map(|arg| names::name(arg).as_ref().to_owned());
    Ok(Header {
        version: fields.number("v")?,
        program: text("program"),
        args: args.collect(),
        level: text("level"),
        clock: text("clock"),
        started: fields.maybe("started").map(said).unwrap_or_default(),
        folder: text("folder"),
        lost: fields.maybe_number("lost")?.unwrap_or(0),
        goes_on: fields.flag("goes_on")?,
    })
}

/// A number or a text.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => names::name(text).as_ref().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn output(fields: &Fields<'_>) -> Result<Output, Fault> {
    Ok(Output {
        after: 0,
        time: fields.maybe_time("t")?.unwrap_or(Duration::ZERO),
        stderr: fields.maybe_text("stream") == "stderr",
        exact: fields.flag("exact")?,
        text: names::text(fields.text("text")?),
    })
}
