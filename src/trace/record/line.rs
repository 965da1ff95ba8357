//! Chapter 35, part 15: one event as one line.
//!
//! ```text
//!   {"k":"site","id":1,"file":"src/main.rs","line":7,"col":39}
//!   {"k":"poll_end","n":9,"t":7416,"c":8,"task":1,"poll":1,"took":1207,"suspended":["sleep",1],"wakers":0}
//!        │           │     │       │   └ the fields, named as in `EventKind`
//!        │           │     │       └ c: the event that led to it; left out if there is none
//!        │           │     └ t: when, in nanoseconds of the loop's clock
//!        │           └ n: its number
//!        └ k: its kind, the name of the variant in snake_case
//! ```
//!
//! Places in the source are written once each, in a line before the first that needs them, and are numbers from then
//! on. All that depends on the lines before is the table of those numbers; so events can be formatted whenever it suits,
//! to a file, to a socket, or for a dump of the last ones. `docs/trace-format.md` lists every kind and field.
//!
//! Before: `trace/record/words.rs`. Next: `trace/record/snapshot.rs`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use super::{json, words};
use crate::timer::clock::nanos;
use crate::trace::event::{Actor, CallbackId, Event, EventKind, IoResult, Place, Wait};
use crate::trace::frames::Frames;

/// Writes events as lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The numbers of the places written so far.
    sites: HashMap<Place, u64>,
    /// The line being made, kept for its memory. Empty between events.
    line: Vec<u8>,
}

impl Lines {
    /// For the lines of one file or one connection.
    pub(crate) fn new() -> Lines {
        Lines::default()
    }

    /// Appends the event to `out`, and before it the places it is the first to name.
    pub(crate) fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.write(Some(event), out, |line| line.kind(&event.kind));
    }

    /// Appends a line that is no event.
    pub(super) fn line(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Line<'_>)) {
        self.write(None, out, write);
    }

    fn write(&mut self, event: Option<&Event>, out: &mut Vec<u8>, write: impl FnOnce(&mut Line<'_>)) {
        let line = std::mem::take(&mut self.line);
        let mut line = Line { line, event, sites: &mut self.sites, out };
        write(&mut line);
        let Line { mut line, out, .. } = line;
        line.extend_from_slice(b"}\n");
        out.extend_from_slice(&line);
        line.clear();
        self.line = line;
    }
}

/// A line being made.
pub(super) struct Line<'a> {
    pub(super) line: Vec<u8>,
    /// `None`: it is about something else.
    event: Option<&'a Event>,
    sites: &'a mut HashMap<Place, u64>,
    /// Where places are defined meanwhile, and where the line goes when it is made.
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    #[rustfmt::skip] // one line per kind, in the order of `EventKind`
    fn kind(&mut self, kind: &EventKind) {
        use EventKind as E;
        match kind {
            E::TurnBegin { turn, ready, timers, sources, jobs } => self.begin("turn_begin").number("turn", *turn).count("ready", *ready).count("timers", *timers).count("sources", *sources).count("jobs", *jobs),
            E::TurnEnd { turn, ready } => self.begin("turn_end").number("turn", *turn).count("ready", *ready),
            E::WaitBegin { timeout, why } => self.begin("wait_begin").maybe_time("timeout", *timeout).word("why", words::reason(*why)),
            E::WaitEnd { sources, by } => self.begin("wait_end").count("sources", *sources).word("by", words::wait_end(*by)),
            E::Notify { by } => self.begin("notify").by(by),
            E::ClockJump { from, to } => self.begin("clock_jump").time("from", *from).time("to", *to),
            E::Stop { by } => self.begin("stop").by(by),
            E::Stuck { tasks, report, fatal } => self.begin("stuck").count("tasks", *tasks).text("report", report).flag("fatal", *fatal),
            E::HeldUp { by, took } => self.begin("held_up").by(by).time("took", *took),
            E::LoopEnd { why } => self.begin("loop_end").word("why", words::loop_end(*why)),

            E::CallbackNew { callback, at, by, site } => self.begin("callback_new").number("callback", callback.0).maybe_time("at", *at).by(by).site("site", *site),
            E::CallbackBegin { callback } => self.begin("callback_begin").number("callback", callback.0),
            E::CallbackEnd { callback, took, panicked } => self.begin("callback_end").number("callback", callback.0).time("took", *took).flag("panicked", *panicked),
            E::CallbackCancel { callback, by } => self.begin("callback_cancel").number("callback", callback.0).by(by),

            E::Spawn { task, name, by, site, future, size } => self.begin("spawn").number("task", task.0).text("name", name).by(by).site("site", *site).text("future", future).count("size", *size),
            E::Wake { task, by, effect } => self.begin("wake").number("task", task.0).by(by).word("effect", words::effect(*effect)),
            E::PollBegin { task, poll, waited } => self.begin("poll_begin").number("task", task.0).number("poll", u64::from(*poll)).time("waited", *waited),
            E::LeafWait { wait, by, site } => self.begin("leaf_wait").word("wait", words::wait(*wait)).by(by).site("site", *site),
            E::Chain { task, frames } => self.begin("chain").number("task", task.0).frames(frames),
            E::PollEnd { task, poll, took, suspended, wakers } => self.begin("poll_end").number("task", task.0).number("poll", u64::from(*poll)).time("took", *took).suspended(*suspended).count("wakers", *wakers),
            E::Cancel { task, by } => self.begin("cancel").number("task", task.0).by(by),
            E::TaskEnd { task, outcome, at } => self.begin("task_end").number("task", task.0).word("outcome", words::outcome(*outcome)).maybe_site("at", *at),
            E::HandleDrop { task, cancelled } => self.begin("handle_drop").number("task", task.0).flag("cancelled", *cancelled),
            E::JoinWait { task, by, site } => self.begin("join_wait").number("task", task.0).by(by).site("site", *site),
            E::Joined { task, by } => self.begin("joined").number("task", task.0).by(by),
            E::Lost { task } => self.begin("lost").number("task", task.0),
            E::Unheard { task, name, how, text } => self.begin("unheard").number("task", task.0).text("name", name).text("how", how).text("text", text),

            E::LineWait { line, ticket, wait, by, site } => self.begin("line_wait").number("line", line.0).count("ticket", *ticket).word("wait", words::wait(*wait)).by(by).site("site", *site),
            E::LineGrant { line, ticket, by } => self.begin("line_grant").number("line", line.0).count("ticket", *ticket).by(by),
            E::LineLeave { line, ticket, served, by } => self.begin("line_leave").number("line", line.0).count("ticket", *ticket).flag("served", *served).by(by),
            E::PermitTake { line, by } => self.begin("permit_take").number("line", line.0).by(by),
            E::PermitRelease { line, by } => self.begin("permit_release").number("line", line.0).by(by),

            E::TimerArm { timer, callback, by, at, place } => self.begin("timer_arm").number("timer", timer.0).callback(*callback).by(by).time("at", *at).slot(*place),
            E::TimerFire { timer, callback, late } => self.begin("timer_fire").number("timer", timer.0).callback(*callback).time("late", *late),
            E::TimerCancel { timer, by } => self.begin("timer_cancel").number("timer", timer.0).by(by),

            E::IoOpen { source, what, by, site } => self.begin("io_open").number("source", source.0).text("what", what).by(by).site("site", *site),
            E::IoInterest { source, wait, by } => self.begin("io_interest").number("source", source.0).word("wait", words::wait(*wait)).by(by),
            E::IoForget { source, wait, by } => self.begin("io_forget").number("source", source.0).word("wait", words::wait(*wait)).by(by),
            E::IoReady { source, readable, writable, closed } => self.begin("io_ready").number("source", source.0).flag("readable", *readable).flag("writable", *writable).flag("closed", *closed),
            E::IoOp { source, op, result } => self.begin("io_op").number("source", source.0).word("op", words::io_op(*op)).result(*result),
            E::IoClose { source, by } => self.begin("io_close").number("source", source.0).by(by),

            E::JobNew { job, by, site } => self.begin("job_new").number("job", job.0).by(by).site("site", *site),
            E::JobStart { job, waited } => self.begin("job_start").number("job", job.0).time("waited", *waited),
            E::JobEnd { job, took, panicked } => self.begin("job_end").number("job", job.0).time("took", *took).flag("panicked", *panicked),
            E::JobDeliver { job } => self.begin("job_deliver").number("job", job.0),
            E::JobAbandon { job } => self.begin("job_abandon").number("job", job.0),
            E::ThreadStart { thread } => self.begin("thread_start").text("thread", thread),
            E::ThreadExit { thread } => self.begin("thread_exit").text("thread", thread),
        };
    }

    /// The kind, and what all events have.
    pub(super) fn begin(&mut self, kind: &str) -> &mut Self {
        self.line.extend_from_slice(b"{\"k\":\"");
        self.line.extend_from_slice(kind.as_bytes());
        self.line.push(b'"');
        let Some(Event { seq, time, cause, thread, .. }) = self.event else { return self };
        self.number("n", *seq).time("t", *time);
        if let Some(cause) = cause {
            self.number("c", *cause);
        }
        if let Some(thread) = thread {
            self.text("th", thread);
        }
        self
    }

    pub(super) fn key(&mut self, name: &str) -> &mut Self {
        self.line.extend_from_slice(b",\"");
        self.line.extend_from_slice(name.as_bytes());
        self.line.extend_from_slice(b"\":");
        self
    }

    pub(super) fn number(&mut self, name: &str, number: u64) -> &mut Self {
        json::number(&mut self.key(name).line, number);
        self
    }

    pub(super) fn count(&mut self, name: &str, count: usize) -> &mut Self {
        self.number(name, count as u64)
    }

    /// In nanoseconds; 585 years is as far as they go.
    pub(super) fn time(&mut self, name: &str, time: Duration) -> &mut Self {
        self.number(name, nanos(time))
    }

    pub(super) fn maybe_time(&mut self, name: &str, time: Option<Duration>) -> &mut Self {
        if let Some(time) = time {
            self.time(name, time);
        }
        self
    }

    /// Left out where it does not hold.
    pub(super) fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        if flag {
            self.key(name).line.extend_from_slice(b"true");
        }
        self
    }

    pub(super) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        json::string(&mut self.key(name).line, text);
        self
    }

    /// A word of the format, which needs no escaping.
    pub(super) fn word(&mut self, name: &str, word: &str) -> &mut Self {
        self.key(name).quoted(word)
    }

    pub(super) fn quoted(&mut self, word: &str) -> &mut Self {
        self.line.push(b'"');
        self.line.extend_from_slice(word.as_bytes());
        self.line.push(b'"');
        self
    }

    pub(super) fn callback(&mut self, callback: Option<CallbackId>) -> &mut Self {
        if let Some(callback) = callback {
            self.number("callback", callback.0);
        }
        self
    }

    /// `"by":"loop"`, `"by":{"task":3}`, `"by":{"thread":"name"}`.
    pub(super) fn by(&mut self, by: &Actor) -> &mut Self {
        self.actor("by", by)
    }

    pub(super) fn actor(&mut self, name: &str, actor: &Actor) -> &mut Self {
        self.key(name).whom(actor)
    }

    /// Who, without a name of the field.
    pub(super) fn whom(&mut self, by: &Actor) -> &mut Self {
        let (sort, number) = match by {
            Actor::Loop => return self.quoted("loop"),
            Actor::Observer => return self.quoted("observer"),
            Actor::Thread(name) => {
                self.line.extend_from_slice(b"{\"thread\":");
                json::string(&mut self.line, name);
                self.line.push(b'}');
                return self;
            }
            Actor::Task(task) => ("task", task.0),
            Actor::Callback(callback) => ("callback", callback.0),
            Actor::Timer(timer) => ("timer", timer.0),
            Actor::Source(source) => ("source", source.0),
            Actor::Job(job) => ("job", job.0),
        };
        self.line.push(b'{');
        self.quoted(sort).line.push(b':');
        json::number(&mut self.line, number);
        self.line.push(b'}');
        self
    }

    /// A place, by its number; one that is new is defined first.
    pub(super) fn site(&mut self, name: &str, site: Place) -> &mut Self {
        let id = self.site_id(site);
        self.number(name, id)
    }

    pub(super) fn maybe_site(&mut self, name: &str, site: Option<Place>) -> &mut Self {
        match site {
            Some(site) => self.site(name, site),
            None => self,
        }
    }

    /// `"suspended":["sleep",5]`, without the number where the place is not known.
    pub(super) fn suspended(&mut self, suspended: Option<(Wait, Option<Place>)>) -> &mut Self {
        let Some((wait, site)) = suspended else { return self };
        let id = site.map(|site| self.site_id(site));
        self.key("suspended").line.push(b'[');
        self.quoted(words::wait(wait));
        if let Some(id) = id {
            self.line.push(b',');
            json::number(&mut self.line, id);
        }
        self.line.push(b']');
        self
    }

    /// `"frames":[4,7]`: places by their numbers, the outermost first.
    pub(super) fn frames(&mut self, frames: &Frames) -> &mut Self {
        let ids: Vec<String> = frames.places().iter().map(|place| self.site_id(*place).to_string()).collect();
        let ids = ids.join(",");
        self.key("frames").line.extend_from_slice(format!("[{ids}]").as_bytes());
        self
    }

    /// `"place":[1,24]`: level and slot in the wheel.
    fn slot(&mut self, place: Option<(u8, u8)>) -> &mut Self {
        let Some((level, slot)) = place else { return self };
        self.key("place").line.extend_from_slice(format!("[{level},{slot}]").as_bytes());
        self
    }

    /// `"result":{"bytes":5}`, `"result":"eof"`, `"result":{"error":"broken_pipe"}`.
    pub(super) fn result(&mut self, result: IoResult) -> &mut Self {
        self.key("result");
        match result {
            IoResult::Eof => self.quoted("eof"),
            IoResult::WouldBlock => self.quoted("would_block"),
            IoResult::Bytes(bytes) => {
                self.line.extend_from_slice(format!("{{\"bytes\":{bytes}}}").as_bytes());
                self
            }
            IoResult::Error(error) => {
                self.line.extend_from_slice(format!("{{\"error\":\"{}\"}}", words::error(error)).as_bytes());
                self
            }
        }
    }

    pub(super) fn site_id(&mut self, site: Place) -> u64 {
        let next = self.sites.len() as u64 + 1;
        let id = *self.sites.entry(site).or_insert(next);
        if id == next {
            let out = &mut *self.out;
            out.extend_from_slice(b"{\"k\":\"site\",\"id\":");
            json::number(out, id);
            out.extend_from_slice(b",\"file\":");
            json::string(out, &shown(site.file));
            out.extend_from_slice(format!(",\"line\":{},\"col\":{}}}\n", site.line, site.column).as_bytes());
        }
        id
    }
}

/// A file as it is written: of a library, from its name on, and not where this user keeps libraries.
fn shown(file: &str) -> Cow<'_, str> {
    const REGISTRY: &str = "/registry/src/";
    if let Some(at) = file.find(REGISTRY)
        && let Some((_, library)) = file[at + REGISTRY.len()..].split_once('/')
    {
        return library.into();
    }
    let home = std::env::var("HOME").unwrap_or_default();
    match file.strip_prefix(&home).filter(|rest| !home.is_empty() && rest.starts_with('/')) {
        Some(rest) => format!("~{rest}").into(),
        None => file.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::record::samples;

    fn written(events: &[Event]) -> String {
        let (mut lines, mut out) = (Lines::new(), Vec::new());
        events.iter().for_each(|event| lines.event(event, &mut out));
        String::from_utf8(out).expect("all of it are strings")
    }

    /// The line of the sample with this kind and, if there are several, this piece.
    fn line(kind: &str, piece: &str) -> String {
        let text = written(&samples::events());
        let mut lines = text.lines().filter(|line| line.starts_with(&format!("{{\"k\":\"{kind}\"")));
        lines.find(|line| line.contains(piece)).expect(kind).to_owned()
    }

    #[test]
    fn fields_are_written_as_the_format_says() {
        let has = |kind, piece: &str| assert!(line(kind, piece).ends_with(piece), "{}", line(kind, piece));
        has("turn_begin", "\"turn\":1,\"ready\":2,\"timers\":3,\"sources\":4,\"jobs\":5}");
        has("wait_begin", "\"why\":\"forever\"}");
        has("wait_begin", "\"timeout\":500,\"why\":\"next_timer\"}");
        has("notify", "\"by\":{\"thread\":\"a \\\"thread\\\"\"}}");
        has("stop", "\"by\":\"observer\"}");
        has("wake", "\"task\":2,\"by\":{\"timer\":3},\"effect\":\"queued\"}");
        has("poll_end", "\"suspended\":[\"sleep\",1],\"wakers\":1}");
        has("poll_end", "\"suspended\":[\"custom\"],\"wakers\":0}");
        has("poll_end", "\"took\":88,\"wakers\":0}");
        has("task_end", "\"outcome\":\"cancelled\",\"at\":2}");
        has("timer_arm", "\"at\":400,\"place\":[1,24]}");
        has("io_op", "\"op\":\"connect\",\"result\":{\"error\":\"connection_refused\"}}");
        has("io_op", "\"op\":\"read\",\"result\":{\"bytes\":512}}");
        has("job_start", "\"th\":\"oneloop-blocking-0\",\"job\":6,\"waited\":5}");
    }

    #[test]
    fn a_place_is_defined_once_before_the_first_line_that_names_it() {
        let text = written(&samples::events());
        let at = |piece: &str| text.find(piece).expect(piece);
        let site = "{\"k\":\"site\",\"id\":1,\"file\":\"src/main.rs\",\"line\":7,\"col\":39}\n";
        assert_eq!(text.matches(site).count(), 1, "{text}");
        assert!(at(site) < at("\"site\":1"));
        assert_eq!(text.matches("{\"k\":\"site\"").count(), 2, "{text}");
    }

    #[test]
    fn nothing_that_a_program_says_breaks_a_line() {
        let text = written(&samples::events());
        assert_eq!(text.lines().count(), samples::events().len() + 2);
        assert!(!text.contains("</script>") && !text.contains('\u{1b}'));
    }

    #[test]
    fn a_file_of_a_library_is_named_from_the_library_on() {
        let registry = "/somewhere/registry/src/index-0123/slab-0.4.9/src/lib.rs";
        assert_eq!(shown(registry), "slab-0.4.9/src/lib.rs");
        assert_eq!(shown("src/main.rs"), "src/main.rs");
    }
}
