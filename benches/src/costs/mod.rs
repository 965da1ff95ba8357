//! The command `costs`: what a task, a thread and a process cost, and what each is good for, measured here.
//!
//! Every figure is taken in a process of its own: the program starts itself again with `costs --child ROW WAY`.
//! `docs/processes-threads-async.md` has the tables; this command writes them there.

mod rows;
mod tables;
mod worker;

use std::fmt;
use std::path::PathBuf;

use clap::Args;

use crate::child;
use crate::measure::median;
use crate::page::Page;
use crate::progress::Progress;

pub use worker::work_if_asked_to;

/// The command line of `costs`.
#[derive(Args)]
pub struct Arguments {
    /// Measurements of each figure, of which the median is taken
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,

    /// Replaces the marked part of this file with the tables
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// One measurement in this process, for a profiler: prints the figure alone
    #[arg(long, num_args = 2, value_names = ["ROW", "WAY"], conflicts_with_all = ["runs", "markdown"])]
    child: Option<Vec<String>>,
}

/// One of the three ways to have several things going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Process,
    Thread,
    Task,
}

impl Way {
    /// In the order of the tables' columns.
    pub const ALL: [Way; 3] = [Way::Process, Way::Thread, Way::Task];

    fn name(self) -> &'static str {
        match self {
            Way::Process => "process",
            Way::Thread => "thread",
            Way::Task => "task",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One line of measurements.
pub struct Row {
    pub name: &'static str,
    /// Takes the figure, in a process of its own.
    pub measure: fn(Way) -> f64,
}

/// The medians of one row, for the three ways in their order.
pub struct Figures {
    pub name: &'static str,
    pub medians: [f64; 3],
}

/// Does what the command line asks for.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    if let Some(words) = &arguments.child {
        return measure_here(words);
    }
    // Before the minutes of measuring: whether there is a place for what comes of it.
    let file = arguments.markdown.as_ref().map(|file| Page::read(file, "costs")).transpose()?;
    let text = tables::tables(&measure_all(arguments.runs)?, arguments.runs);
    match file {
        Some(file) => file.write(&text),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

fn measure_here(words: &[String]) -> Result<(), String> {
    let [row_name, way_name] = words else { return Err("--child takes a row and a way".into()) };
    let row = rows::ALL.iter().find(|row| row.name == row_name).ok_or_else(|| {
        let names: Vec<&str> = rows::ALL.iter().map(|row| row.name).collect();
        format!("there is no row {row_name}; the rows are {}", names.join(", "))
    })?;
    let way = Way::ALL.into_iter().find(|way| way.name() == way_name);
    let way = way.ok_or_else(|| format!("{way_name} is not a process, a thread or a task"))?;
    println!("{}", (row.measure)(way));
    Ok(())
}

/// Row by row, and in each the three ways in turn, again and again.
fn measure_all(runs: u32) -> Result<Vec<Figures>, String> {
    let mut progress = Progress::new(rows::ALL.len() * Way::ALL.len() * runs as usize);
    let program = child::this_program()?;
    let mut results = Vec::new();
    for row in &rows::ALL {
        let mut figures: [Vec<f64>; 3] = Default::default();
        for _ in 0..runs {
            for (way, figures) in Way::ALL.into_iter().zip(&mut figures) {
                progress.step(row.name, way);
                figures.push(child::figure(&program, &["costs", "--child", row.name, way.name()])?);
            }
        }
        results.push(Figures { name: row.name, medians: figures.map(|figures| median(&figures)) });
    }
    progress.end();
    Ok(results)
}
