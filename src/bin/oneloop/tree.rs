//! `oneloop tree`: the tasks of a running program, each under the one that waits for it.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::process::ExitCode;

use oneloop::trace::narrate::count;

use crate::attached::{Answer, Task, ask};
use crate::{Ended, say};

/// So many tasks that wait at the same line for the same are shown one by one.
const FEW: usize = 3;

/// Show the tasks of a running program, each under the one that waits for its end.
///
/// The program must have been started with ONELOOP=attach in its environment, by the same user.
#[derive(clap::Args)]
pub struct Args {
    /// The process number of the program
    pid: u32,
}

/// Asks, and shows the answer.
pub fn run(args: Args) -> Ended {
    let answer = ask(args.pid)?;
    say(&tree(&answer))?;
    Ok(ExitCode::SUCCESS)
}

/// The whole tree, line by line.
fn tree(answer: &Answer) -> String {
    let awaited: HashSet<u64> = answer.tasks.values().flat_map(|task| task.awaits.iter().copied()).collect();
    let roots: Vec<u64> = answer.tasks.keys().copied().filter(|task| !awaited.contains(task)).collect();
    let mut tree = Tree { answer, text: format!("{}\n", answer.heading()), shown: HashSet::new() };
    tree.level(&roots, "", true);
    // A circle has no root.
    while let Some(rest) = answer.tasks.keys().copied().find(|task| !tree.shown.contains(task)) {
        tree.level(&[rest], "", true);
    }
    tree.text
}

struct Tree<'a> {
    answer: &'a Answer,
    text: String,
    shown: HashSet<u64>,
}

impl Tree<'_> {
    /// Tasks side by side, with what each waits for below it. Those that stand alike and wait for no other task are
    /// put together.
    fn level(&mut self, tasks: &[u64], indent: &str, roots: bool) {
        let groups = self.groups(tasks);
        let last = groups.len().saturating_sub(1);
        for (index, group) in groups.iter().enumerate() {
            let (branch, below) = match (roots, index == last) {
                (true, _) => ("", ""),
                (false, true) => ("└── ", "    "),
                (false, false) => ("├── ", "│   "),
            };
            let line = match group.as_slice() {
                [task] => self.line(*task),
                several => self.merged(several),
            };
            let _ = writeln!(self.text, "{indent}{branch}{line}");
            if let [task] = group.as_slice()
                && self.shown.insert(*task)
            {
                let awaits = self.answer.tasks.get(task).map(|task| task.awaits.clone()).unwrap_or_default();
                // A name and its tasks are deep only as tasks wait for tasks; a chain of thousands is cut.
                if indent.chars().count() < 4 * 64 {
                    self.level(&awaits, &format!("{indent}{below}"), false);
                }
            }
            self.shown.extend(group);
        }
    }

    fn line(&self, task: u64) -> String {
        let name = self.answer.named(task);
        match self.answer.tasks.get(&task) {
            Some(_) if self.shown.contains(&task) => format!("{name}, see above"),
            Some(known) => format!("{name} {}", known.standing()),
            None => format!("{name}, which has ended by now"),
        }
    }

    fn merged(&self, tasks: &[u64]) -> String {
        let standing = self.answer.tasks.get(&tasks[0]).map(Task::standing).unwrap_or_default();
        format!("{} {standing}", count(tasks.len(), "task"))
    }

    fn groups(&self, tasks: &[u64]) -> Vec<Vec<u64>> {
        let mut alike: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut groups: Vec<Vec<u64>> = Vec::new();
        for &task in tasks {
            match self.answer.tasks.get(&task) {
                Some(known) if known.awaits.is_empty() && !self.shown.contains(&task) => {
                    alike.entry(known.standing()).or_default().push(task);
                }
                _ => groups.push(vec![task]),
            }
        }
        for group in alike.into_values() {
            match group.len() > FEW {
                true => groups.push(group),
                false => groups.extend(group.into_iter().map(|task| vec![task])),
            }
        }
        groups.sort_unstable();
        groups
    }
}
