//! The line of the source that an event is at, or was caused by.

use std::fmt;

use oneloop::trace::fold::{History, World};
use oneloop::trace::narrate::place as short;
use oneloop::trace::{Actor, Event, EventKind as E, Place, TaskId};

/// How far the causes of an event are followed, and how far back it is looked for any line.
const FAR: usize = 256;

/// How an event and a line belong together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// It happened there.
    At,
    /// What happened there led to it.
    CausedBy,
    /// That is what the loop has to do next.
    Next,
    /// That was the last line that was heard of.
    After,
}

/// A line, and how an event belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub how: How,
    pub place: Place,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::At => "at",
            How::CausedBy => "caused by",
            How::Next => "next is",
            How::After => "after",
        };
        write!(f, "{how} {}", short(self.place))
    }
}

/// The line of event number `index` of the history. `world` is the state before it.
pub fn line(history: &History, index: usize, world: &World) -> Option<Line> {
    let event = &history.events()[index];
    if let Some(place) = here(event, world) {
        return Some(Line { how: How::At, place });
    }
    if let Some(place) = cause(history, event) {
        return Some(Line { how: How::CausedBy, place });
    }
    if let Some(place) = ahead(history, world) {
        return Some(Line { how: How::Next, place });
    }
    let before = history.events()[..index].iter().rev().take(FAR).find_map(own);
    before.map(|place| Line { how: How::After, place })
}

/// The line at which an event happens: its own, or that of the task or callback it is about.
pub fn here(event: &Event, world: &World) -> Option<Place> {
    own(event).or_else(|| match &event.kind {
        E::PollBegin { task, .. } | E::PollEnd { task, .. } | E::TaskEnd { task, .. } => {
            of_task(*task, world)
        }
        E::CallbackBegin { callback } => world.callbacks.get(callback).map(|callback| callback.site),
        _ => None,
    })
}

/// The line that an event itself names.
pub fn own(event: &Event) -> Option<Place> {
    match &event.kind {
        E::CallbackNew { site, .. }
        | E::Spawn { site, .. }
        | E::JoinWait { site, .. }
        | E::LeafWait { site, .. }
        | E::LineWait { site, .. }
        | E::IoOpen { site, .. }
        | E::JobNew { site, .. } => Some(*site),
        E::Chain { frames, .. } => frames.places().last().copied(),
        E::PollEnd { suspended: Some((_, place)), .. } => *place,
        E::TaskEnd { at, .. } => *at,
        _ => None,
    }
}

fn of_task(task: TaskId, world: &World) -> Option<Place> {
    world.tasks.get(&task)?.goes_on_at()
}

/// The nearest line among the events that led to this one.
fn cause(history: &History, event: &Event) -> Option<Place> {
    let mut cause = event.cause;
    for _ in 0..FAR {
        let led = find(history, cause?)?;
        if let Some(place) = own(led) {
            return Some(place);
        }
        cause = led.cause.filter(|cause| *cause < led.seq);
    }
    None
}

/// The event of a number.
pub fn find(history: &History, seq: u64) -> Option<&Event> {
    let events = history.events();
    // Where nothing is left out, the numbers say the place.
    let first = events.first()?.seq;
    let guess = seq.checked_sub(first).and_then(|place| events.get(usize::try_from(place).ok()?));
    if let Some(event) = guess.filter(|event| event.seq == seq) {
        return Some(event);
    }
    let index = events.binary_search_by_key(&seq, |event| event.seq).ok()?;
    events.get(index)
}

/// What is first in the ready queue, or else the timer that is due first.
fn ahead(history: &History, world: &World) -> Option<Place> {
    use oneloop::trace::Ready;
    let ready = world.ready.iter().find_map(|ready| match ready {
        Ready::Task(task) => of_task(task, world),
        Ready::Callback(callback) => world.callbacks.get(&callback).map(|callback| callback.site),
        _ => None,
    });
    ready.or_else(|| {
        let timer = world.timers.values().min_by_key(|timer| timer.at)?;
        match (&timer.by, timer.callback) {
            (_, Some(callback)) => Some(world.callbacks.get(&callback)?.site),
            (Actor::Task(task), None) => of_task(*task, world),
            _ => cause(history, find(history, timer.armed)?),
        }
    })
}
