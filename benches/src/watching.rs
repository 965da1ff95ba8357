//! The command `watching`: what it costs a loop to be watched, an event at a time.
//!
//! The same work unwatched, with an observer that does nothing, and recorded. What is measured is
//! the CPU time of the loop's own thread; a recording's other thread has a core of its own, if there is one.
//! `watching -- PROGRAM` measures a whole program instead (`whole.rs`).

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use oneloop::trace::{Event, Level, Observer};
use oneloop::{Builder, EventLoop, gather, sleep, spawn, yield_now};

use crate::measure::{median, thread_time};
use crate::whole;

/// The command line of `watching`.
#[derive(Args)]
pub struct Arguments {
    /// Measurements of each figure, of which the median is taken
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,

    /// A whole program instead, which uses oneloop and is given these arguments: so many pairs of runs, recorded and not
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

/// Counts events, and does nothing else.
#[derive(Clone, Default)]
struct Count(Rc<Cell<u64>>);

impl Observer for Count {
    fn event(&self, _: &Event) {
        self.0.set(self.0.get() + 1);
    }

    fn decides(&self) -> bool {
        false
    }
}

/// Who watches.
#[derive(Clone, Copy)]
enum By {
    Nobody,
    AnObserver,
    Recorder(Level),
}

/// What goes on, in rounds. Between two of them there is a pause, as in most programs, and a recorder writes.
#[derive(Clone, Copy)]
enum Work {
    /// 100 tasks yield 100 times.
    Yields,
    /// 1,000 tasks sleep ten times for a moment.
    Sleeps,
    /// 2,000 tasks that do nothing are spawned, 1,000 at a time, and their handles awaited.
    Spawns,
}

/// Rounds that count, and before them those that bring memory into use.
const ROUNDS: u32 = 20;
const WARM_UP: u32 = 3;

impl Work {
    /// CPU time of the rounds, together.
    fn run(self, event_loop: EventLoop) -> Duration {
        event_loop.run_until_complete(async {
            let mut time = Duration::ZERO;
            for round in 0..WARM_UP + ROUNDS {
                let begun = thread_time();
                self.round().await;
                if round >= WARM_UP {
                    time += thread_time() - begun;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            time
        })
    }

    async fn round(self) {
        match self {
            Work::Yields => {
                gather((0..100).map(|_| async {
                    for _ in 0..100 {
                        yield_now().await;
                    }
                }))
                .await;
            }
            Work::Sleeps => {
                gather((0..1_000).map(|_| async {
                    for _ in 0..10 {
                        sleep(Duration::from_micros(100)).await;
                    }
                }))
                .await;
            }
            Work::Spawns => {
                for _ in 0..2 {
                    let handles: Vec<_> = (0..1_000).map(|_| spawn(async {})).collect();
                    for handle in handles {
                        handle.await.expect("it does nothing");
                    }
                }
            }
        }
    }
}

/// Does what the command line asks for.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    if !arguments.program.is_empty() {
        return whole::run(&arguments.program, arguments.runs);
    }
    for (name, work) in [("yields", Work::Yields), ("spawns", Work::Spawns), ("sleeps", Work::Sleeps)] {
        let events = events_of(work)?;
        let all = [
            ("nobody", By::Nobody),
            ("an observer that does nothing", By::AnObserver),
            ("recorded, level loop", By::Recorder(Level::Loop)),
            ("recorded, level task", By::Recorder(Level::Task)),
            ("recorded, level leaf", By::Recorder(Level::Leaf)),
        ];
        let mut figures = vec![Vec::new(); all.len()];
        for _ in 0..arguments.runs {
            for ((_, by), figures) in all.iter().zip(&mut figures) {
                figures.push(measure(work, *by)?.as_nanos() as f64);
            }
        }
        let medians: Vec<f64> = figures.iter().map(|figures| median(figures)).collect();
        println!("{name}: {events} events");
        for ((by, _), figure) in all.iter().zip(&medians) {
            let each = (figure - medians[0]) / events as f64;
            println!("  {by:30} {:8.1} ms, {each:6.1} ns more an event", figure / 1e6);
        }
    }
    Ok(())
}

fn events_of(work: Work) -> Result<u64, String> {
    let count = Count::default();
    work.run(build(EventLoop::builder().observer(count.clone()))?);
    Ok(count.0.get() / u64::from(WARM_UP + ROUNDS) * u64::from(ROUNDS))
}

fn measure(work: Work, by: By) -> Result<Duration, String> {
    let file = std::env::temp_dir().join(format!("oneloop-watching-{}.trace", std::process::id()));
    let builder = match by {
        By::Nobody => EventLoop::builder(),
        By::AnObserver => EventLoop::builder().observer(Count::default()),
        By::Recorder(level) => EventLoop::builder().record(&file).record_level(level),
    };
    let time = work.run(build(builder)?);
    // A second recording of one process has a number in its name.
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.path().to_string_lossy().starts_with(&*file.to_string_lossy()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(time)
}

fn build(builder: Builder) -> Result<EventLoop, String> {
    builder.build().map_err(|error| error.to_string())
}
