//! oneloop beside its peers, on exactly defined work: one command prints a table of ratios.
//!
//! Each measurement is a process of its own: the program starts itself again with `--child ROW PEER OPS`,
//! which does the work and prints one figure. The peers of a row take turns, so that a machine that slows
//! down slows all of them.

#![forbid(unsafe_code)]

mod child;
mod cli;
mod connections;
mod costs;
mod countdown;
mod descriptors;
mod driver;
#[path = "../../examples/embedded/mod.rs"]
mod embedded;
mod growth;
mod instructions;
mod keep;
mod machine;
mod measure;
mod page;
mod progress;
mod python;
mod row;
mod rows;
mod sample;
#[path = "../../examples/crawler/site/mod.rs"]
mod site;
mod start;
mod table;
mod watching;
mod whole;
mod without_seam;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Arguments, Child, Command};
use crate::keep::Kept;
use crate::page::Page;

fn main() -> ExitCode {
    if costs::work_if_asked_to() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    if arguments.list {
        print!("{}", table::list());
        return ExitCode::SUCCESS;
    }
    let done = match (&arguments.command, arguments.child()) {
        (Some(Command::Connections(arguments)), _) => connections::run(arguments),
        (Some(Command::Costs(arguments)), _) => costs::run(arguments),
        (Some(Command::Growth(arguments)), _) => growth::run(arguments),
        (Some(Command::Instructions(arguments)), _) => instructions::run(arguments),
        (Some(Command::Watching(arguments)), _) => watching::run(arguments),
        (None, Some(child)) => child.and_then(|child| measure(&child)),
        (None, None) => compare(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// A child's work: one measurement.
fn measure(child: &Child) -> Result<(), String> {
    let measure = child.row.measure(child.peer);
    let measure =
        measure.ok_or_else(|| format!("{} does not take part in the row {}", child.peer, child.row.name))?;
    println!("{}", measure(child.ops));
    Ok(())
}

/// The driver's work: all measurements, and the table.
fn compare(arguments: &Arguments) -> Result<(), String> {
    let plan = arguments.plan()?;
    // Before the minutes of measuring: whether there is a place for what comes of it.
    let page = arguments.markdown.as_ref().map(|file| Page::read(file, "rows")).transpose()?;
    let results = driver::run(&plan, &Kept::new(arguments.keep.clone()))?;
    let table = table::markdown(&plan, &results);
    print!("{table}");
    page.map_or(Ok(()), |page| page.write(&table))
}
