//! Where in the run each task is told of, so that its story and any sentence can be had without going through all of it.

use std::collections::HashMap;
use std::sync::Arc;

use oneloop::trace::fold::{History, World};
use oneloop::trace::{Actor, Event, EventKind as E, SourceId, TaskId};

use crate::session::places::find;
use crate::session::story::{by, of};

/// An index of the events that are known. Events are named by their numbers.
#[derive(Debug, Default)]
pub struct Index {
    /// The number of the first event that is known.
    first: Option<u64>,
    /// The number of the last event that is in it.
    last: Option<u64>,
    /// What each task did, and what was done to it.
    stories: HashMap<TaskId, Vec<u64>>,
    /// What tells of names: the first, a cancel, the end.
    tasks: HashMap<TaskId, Vec<u64>>,
    sources: HashMap<SourceId, Vec<u64>>,
}

impl Index {
    /// Takes up what has become known since the last time.
    pub fn update(&mut self, history: &History) {
        let events = history.events();
        let ends = [events.first(), events.last()];
        let [first, last] = ends.map(|event| event.map(|event| event.seq));
        if self.last > last {
            // Another loop, which counts from 0 again.
            *self = Index::default();
        }
        let start = self.last.map_or(0, |last| events.partition_point(|event| event.seq <= last));
        for event in &events[start..] {
            self.add(event);
        }
        if self.first < first {
            let known = first.unwrap_or(0);
            forget(&mut self.stories, known);
            forget(&mut self.tasks, known);
            forget(&mut self.sources, known);
        }
        (self.first, self.last) = (first, last);
    }

    fn add(&mut self, event: &Event) {
        let task = of(event);
        let doer = match by(event) {
            Some(Actor::Task(task)) => Some(*task),
            _ => None,
        };
        for task in task.into_iter().chain(doer.filter(|doer| Some(*doer) != task)) {
            self.stories.entry(task).or_default().push(event.seq);
        }
        match &event.kind {
            E::Spawn { task, .. } | E::Cancel { task, .. } | E::TaskEnd { task, .. } => {
                self.tasks.entry(*task).or_default().push(event.seq);
            }
            E::IoOpen { source, .. } => self.sources.entry(*source).or_default().push(event.seq),
            _ => {}
        }
    }

    /// The numbers of the events about a task, in order.
    pub fn story(&self, task: TaskId) -> &[u64] {
        self.stories.get(&task).map_or(&[], Vec::as_slice)
    }

    /// An event in words.
    pub fn sentence(&self, history: &History, event: &Event) -> String {
        let (mut tasks, mut sources) = (Vec::from_iter(of(event)), Vec::from_iter(source(event)));
        match by(event) {
            Some(Actor::Task(task)) => tasks.push(*task),
            Some(Actor::Source(source)) => sources.push(*source),
            _ => {}
        }
        // Whoever is named was there before, or is told of by an event; nobody else is asked for.
        let (before, mut begin) = (history.begin(), World::new());
        begin.tasks.extend(tasks.iter().filter_map(|id| Some((*id, Arc::clone(before.tasks.get(id)?)))));
        begin.sources.extend(sources.iter().filter_map(|id| Some((*id, before.sources.get(id)?.clone()))));
        let mut narrator = begin.narrator();
        let tasks = tasks.iter().filter_map(|task| self.tasks.get(task));
        let sources = sources.iter().filter_map(|source| self.sources.get(source));
        let mut names: Vec<u64> = tasks.chain(sources).flatten().copied().collect();
        names.retain(|seq| *seq < event.seq);
        names.sort_unstable();
        names.dedup();
        names.iter().filter_map(|seq| find(history, *seq)).for_each(|event| narrator.follow(event));
        narrator.sentence(event)
    }
}

/// Lets go of the events before this one.
fn forget<Id>(lists: &mut HashMap<Id, Vec<u64>>, first: u64) {
    lists.retain(|_, list| {
        list.drain(..list.partition_point(|seq| *seq < first));
        !list.is_empty()
    });
}

/// The source that an event is about.
fn source(event: &Event) -> Option<SourceId> {
    match &event.kind {
        E::IoOpen { source, .. }
        | E::IoInterest { source, .. }
        | E::IoReady { source, .. }
        | E::IoOp { source, .. }
        | E::IoClose { source, .. } => Some(*source),
        _ => None,
    }
}
