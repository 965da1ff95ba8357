//! What a running program says of its tasks.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use oneloop::trace::TaskId;
use oneloop::trace::narrate::{count, named, plain, span};
use serde_json::Value;

/// How the tasks of a program stand.
pub struct Answer {
    /// By their numbers.
    pub tasks: BTreeMap<u64, Task>,
    /// How many there are, those that were not told of among them.
    pub total: u64,
}

/// A task, as it was told of.
pub struct Task {
    pub number: u64,
    pub name: String,
    /// `suspended`, `ready` or `running`.
    pub state: String,
    pub cancelled: bool,
    /// What it waits for, to be put after "waiting for"; `None`: its future does not say.
    pub wait: Option<String>,
    /// File and line where it is suspended; `None`: it has not been polled, or its future does not say.
    pub at: Option<String>,
    /// Files and lines of the async functions it is suspended in, the outermost first; empty: they are not known.
    pub frames: Vec<String>,
    /// File and line that spawned it.
    pub spawned: String,
    /// Timers that will wake it, and in how long.
    pub timers: Vec<(u64, Duration)>,
    /// Sources that will wake it, and for what.
    pub sources: Vec<(u64, String)>,
    /// Tasks whose end it waits for.
    pub awaits: Vec<u64>,
    /// Whether somebody outside of the loop has its waker.
    pub outside: bool,
}

/// What a program has answered.
pub fn read(text: &[u8]) -> Result<Answer, String> {
    let mut answer = Answer { tasks: BTreeMap::new(), total: 0 };
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let fault = |fault| format!("it said what nobody understands: {fault}");
        let line: Value = serde_json::from_slice(line).map_err(|error| fault(error.to_string()))?;
        match line["k"].as_str() {
            Some("tasks") => answer.total = line["tasks"].as_u64().unwrap_or(0),
            Some("task") => {
                let task = task(&line);
                answer.tasks.insert(task.number, task);
            }
            Some("error") => return Err(plain(line["text"].as_str().unwrap_or("something is wrong"))),
            // Of a later version.
            _ => {}
        }
    }
    Ok(answer)
}

/// What is missing is nothing: a later version may leave fields out.
fn task(line: &Value) -> Task {
    let text = |value: &Value| value.as_str().map(plain);
    let pairs = |name: &str| line[name].as_array().cloned().unwrap_or_default().into_iter();
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let place = |place: &Value| {
        let file = text(&place[0])?;
        Some(format!("{file}:{}", number(&place[1])))
    };
    Task {
        number: number(&line["task"]),
        name: text(&line["name"]).unwrap_or_default(),
        state: text(&line["state"]).unwrap_or_default(),
        cancelled: line["cancelled"] == true,
        wait: text(&line["wait"]),
        at: place(&line["at"]),
        frames: pairs("frames").filter_map(|frame| place(&frame)).collect(),
        spawned: place(&line["spawned"]).unwrap_or_default(),
        timers: pairs("timers")
            .map(|pair| (number(&pair[0]), Duration::from_nanos(number(&pair[1]))))
            .collect(),
        sources: pairs("sources")
            .map(|pair| (number(&pair[0]), text(&pair[1]).unwrap_or_default()))
            .collect(),
        awaits: pairs("awaits").map(|task| number(&task)).collect(),
        outside: line["outside"] == true,
    }
}

impl Answer {
    /// The task with its name in brackets, as the narrator has it.
    pub fn named(&self, task: u64) -> String {
        self.tasks.get(&task).map_or_else(|| format!("task {task}"), |known| named(TaskId(task), &known.name))
    }

    /// How many there are, and how many of them wait; for the first line.
    pub fn heading(&self) -> String {
        let in_state = |state: &str| self.tasks.values().filter(|task| task.state == state).count();
        let (suspended, ready) = (in_state("suspended"), in_state("ready"));
        let total = count(usize::try_from(self.total).unwrap_or(usize::MAX), "task");
        let mut text = format!("{total}: {suspended} suspended, {ready} ready");
        if self.total > self.tasks.len() as u64 {
            text.push_str(&format!(" among the first {}", self.tasks.len()));
        }
        text
    }

    /// Tasks that wait for one another in a circle, each for the next; the first that is found.
    pub fn circle(&self) -> Option<Vec<u64>> {
        let mut clear = HashSet::new();
        for &start in self.tasks.keys() {
            let mut way: Vec<u64> = Vec::new();
            let mut next = Some(start);
            // Only those that wait for one task alone: the others may yet be woken by another one.
            while let Some(task) = next.filter(|task| !clear.contains(task)) {
                if let Some(begin) = way.iter().position(|known| *known == task) {
                    return Some(way.split_off(begin));
                }
                way.push(task);
                next = match self.tasks.get(&task).map(|task| task.awaits.as_slice()) {
                    Some([only]) => Some(*only),
                    _ => None,
                };
            }
            clear.extend(way);
        }
        None
    }
}

impl Task {
    /// `suspended at src/main.rs:7, waiting for a sleep`.
    pub fn standing(&self) -> String {
        let mut text = match (self.state.as_str(), &self.at) {
            ("ready", None) => String::from("ready, not started"),
            ("ready", Some(at)) => format!("ready, to go on at {at}"),
            ("suspended", Some(at)) => format!("suspended at {at}"),
            (state, _) => state.to_owned(),
        };
        if let (Some(wait), "suspended") = (&self.wait, self.state.as_str()) {
            text.push_str(&format!(", waiting for {wait}"));
        }
        if self.state == "suspended" && self.frames.len() > 1 {
            text.push_str(&format!(", through {}", self.frames.join(" → ")));
        }
        if self.cancelled {
            text.push_str(", cancelled");
        }
        text
    }

    /// What will wake it, as far as the loop knows, in so many words.
    pub fn wakers(&self, answer: &Answer) -> Vec<String> {
        let timers = self.timers.iter().map(|(timer, left)| format!("timer {timer}, in {}", span(*left)));
        let sources =
            self.sources.iter().map(|(source, wait)| format!("source {source}, when it has {wait}"));
        let awaits = self.awaits.iter().map(|task| format!("the end of {}", answer.named(*task)));
        let outside = self.outside.then(|| {
            String::from(
                "whoever has its waker: another thread, a job, or a future that oneloop did not write",
            )
        });
        timers.chain(sources).chain(awaits).chain(outside).collect()
    }
}
