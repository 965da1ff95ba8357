//! `watching -- PROGRAM`: what it costs a whole program to be recorded at level `task`.
//!
//! The program is run again and again, recorded and not, each time in a new folder, which is removed: a crawler would find
//! there what the run before has fetched. The two runs of a pair follow one another, and which comes first changes from pair
//! to pair, so that a machine that slows down slows both. The figure is the median of the pairs' ratios.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::measure::median;

/// Runs the program in so many pairs, after one run that does not count, and prints how they compare.
pub fn run(command: &[String], pairs: u32) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("which program?")?;
    let program = fs::canonicalize(program).map_err(|error| format!("{program}: {error}"))?;
    let mut figures: [Vec<[f64; 2]>; 2] = Default::default();
    once(&program, arguments, true)?;
    for pair in 0..pairs {
        let mut of_pair = [[0.0; 2]; 2];
        for recorded in [pair % 2 == 0, pair % 2 == 1] {
            of_pair[usize::from(recorded)] = once(&program, arguments, recorded)?;
        }
        for (list, figures) in figures.iter_mut().zip(of_pair) {
            list.push(figures);
        }
    }
    println!("{pairs} pairs of runs, recorded at level task and not:");
    for (which, name) in ["wall time", "CPU time, all threads"].into_iter().enumerate() {
        let [not, recorded] = [0, 1].map(|by| figures[by].iter().map(|run| run[which]).collect::<Vec<f64>>());
        let ratios: Vec<f64> = recorded.iter().zip(&not).map(|(recorded, not)| recorded / not).collect();
        let [not, recorded, ratio] = [&not, &recorded, &ratios].map(|figures| median(figures));
        let [low, high] = quartiles(ratios);
        println!(
            "  {name:22} {recorded:.3} s and {not:.3} s; ratio {ratio:.3}, half of all between {low:.3} and {high:.3}"
        );
    }
    Ok(())
}

/// Wall time and CPU time of one run, in seconds.
fn once(program: &Path, arguments: &[String], recorded: bool) -> Result<[f64; 2], String> {
    let folder = env::temp_dir().join(format!("oneloop-watching-{}", std::process::id()));
    fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&folder).env_remove("ONELOOP");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if recorded {
        command.env("ONELOOP", "record=run.trace");
    }
    let (begun, before) = (Instant::now(), cpu_of_children()?);
    let status = command.status().map_err(|error| format!("{}: {error}", program.display()))?;
    let figures = [begun.elapsed().as_secs_f64(), cpu_of_children()? - before];
    let removed = fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()));
    if !status.success() {
        return Err(format!("{} ended with {status}", program.display()));
    }
    removed.map(|()| figures)
}

/// CPU time of all children that were waited for, in seconds.
fn cpu_of_children() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    // Behind the name, which may have spaces in it, comes field 3; user and system time of children are 16 and 17.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The first and the third.
fn quartiles(mut figures: Vec<f64>) -> [f64; 2] {
    figures.sort_by(f64::total_cmp);
    let quarter = (figures.len() - 1) / 4;
    [figures[quarter], figures[figures.len() - 1 - quarter]]
}
