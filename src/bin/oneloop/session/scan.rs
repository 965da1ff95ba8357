//! Where the rules find something wrong on the way.

use oneloop::trace::findings::{Finding, Findings, Limits};
use oneloop::trace::fold::History;
use oneloop::trace::narrate::plain;

/// The rules at work, on all events up to some.
#[derive(Default)]
pub struct Scan {
    /// `None`: they were shown nothing yet, and may be shown the events from any on.
    findings: Option<Findings>,
    /// How many events they were shown, of those that are known.
    seen: usize,
    /// What they found: in which event, which rule, and in words.
    found: Vec<(u64, &'static str, String)>,
    /// What the end alone told: which rule, and in words. `None`: they were not told yet that there are no more events.
    at_end: Option<Vec<(&'static str, String)>>,
}

impl Scan {
    /// With these rules, which were shown nothing yet.
    pub fn by(findings: Findings) -> Scan {
        Scan { findings: Some(findings), ..Scan::default() }
    }

    /// Whether this rule, or any, finds something in the event at `index`.
    pub fn finds(&mut self, history: &History, index: usize, rule: Option<&str>) -> bool {
        self.show(history, index + 1);
        self.at(history.events()[index].seq, rule).next().is_some()
    }

    /// What this rule, or any, has found in the event of a number.
    pub fn at(&self, seq: u64, rule: Option<&str>) -> impl Iterator<Item = &str> {
        let from = self.found.partition_point(|(known, ..)| *known < seq);
        let found = self.found[from..].iter().take_while(move |(known, ..)| *known == seq);
        found.filter(move |(_, known, _)| rule.is_none_or(|rule| rule == *known)).map(|(.., text)| &**text)
    }

    /// What only the end tells of this rule, or of any.
    pub fn end(&mut self, history: &History, rule: Option<&str>) -> Vec<&str> {
        if self.at_end.is_none() {
            self.show(history, usize::MAX);
            let found = self.findings.as_mut().map(Findings::end).unwrap_or_default().iter();
            self.at_end = Some(found.map(|finding| (finding.rule, lines(finding))).collect());
        }
        let found = self.at_end.iter().flatten();
        found.filter(|(known, _)| rule.is_none_or(|rule| rule == *known)).map(|(_, text)| &**text).collect()
    }

    /// Shows them the events before that index.
    fn show(&mut self, history: &History, until: usize) {
        let findings =
            self.findings.get_or_insert_with(|| Findings::after(history.begin(), Limits::default()));
        let events = history.events();
        let until = until.min(events.len());
        for event in events.get(self.seen..until).unwrap_or_default() {
            let found = findings.event(event).iter();
            self.found.extend(found.map(|finding| (event.seq, finding.rule, lines(finding))));
        }
        self.seen = self.seen.max(until);
    }

    /// Some of the first events are about to be let go: whoever has seen some of them is to see all.
    pub fn before_forgetting(&mut self, history: &History) {
        if self.findings.is_some() {
            self.show(history, usize::MAX);
        }
    }

    /// So many of the first events were let go.
    pub fn forgot(&mut self, gone: usize) {
        self.seen = self.seen.saturating_sub(gone);
    }
}

/// A finding, without anything that would do something else than be read.
fn lines(finding: &Finding) -> String {
    finding.to_string().lines().map(plain).collect::<Vec<_>>().join("\n")
}
