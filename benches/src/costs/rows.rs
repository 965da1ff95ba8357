//! What is measured, each for processes, threads and tasks.

use std::fs;
use std::io::{Read, Write, pipe};
use std::process::Child;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use oneloop::sync::Event;
use oneloop::{gather, run, sleep, spawn, yield_now};

use super::worker::{self, Job};
use super::{Row, Way};
use crate::machine;
use crate::measure::{pin_to_one_core, resident_bytes};
use crate::row::Peer;
use crate::rows::{mem, ping_pong, spawn_join};

/// In the order in which they are taken.
pub const ALL: [Row; 8] = [
    Row { name: "memory", measure: memory },
    Row { name: "reserved", measure: reserved },
    Row { name: "start", measure: start },
    Row { name: "switch", measure: switch },
    Row { name: "many", measure: many },
    Row { name: "waiting", measure: waiting },
    Row { name: "cores", measure: cores },
    Row { name: "blocking", measure: blocking },
];

/// How many wait at the same time where memory is measured, and in `many`.
pub const fn crowd(way: Way) -> u64 {
    match way {
        Way::Process => 200,
        Way::Thread => 5_000,
        Way::Task => 1_000_000,
    }
}

/// How many waits, or blocking calls, there are at the same time, and how long each takes.
pub const WAITS: u64 = 100;
pub const WAIT: Duration = Duration::from_millis(100);

/// Bytes of memory for one that waits: its own pages, the page tables for them, and the kernel's stack.
fn memory(way: Way) -> f64 {
    let count = crowd(way);
    let growth = match way {
        Way::Task => return mem::ROW.measure(Peer::Oneloop).expect("oneloop takes part")(count),
        Way::Thread => {
            let held = || resident_bytes() + status("VmPTE") + kernel_stacks();
            with_threads(count, held)
        }
        Way::Process => {
            let before = kernel_stacks();
            let workers: Vec<Child> = (0..count).map(|_| ready_worker()).collect();
            let own: u64 = workers.iter().map(|worker| own_pages(worker.id())).sum();
            let growth = own as f64 + kernel_stacks() as f64 - before as f64;
            workers.into_iter().for_each(worker::end);
            growth
        }
    };
    growth / count as f64
}

/// Bytes of address space for one that waits.
fn reserved(way: Way) -> f64 {
    let count = crowd(way);
    match way {
        Way::Task => run(async {
            let before = status("VmSize");
            let tasks = wait_in_tasks(count).await;
            let growth = status("VmSize") - before;
            drop(tasks);
            growth as f64 / count as f64
        }),
        Way::Thread => with_threads(count, || status("VmSize")) / count as f64,
        Way::Process => {
            let worker = ready_worker();
            let size = status_of(&worker.id().to_string(), "VmSize");
            worker::end(worker);
            size as f64
        }
    }
}

/// Nanoseconds to start one that has nothing to do and wait for its end.
fn start(way: Way) -> f64 {
    match way {
        Way::Task => spawn_join::ROW.measure(Peer::Oneloop).expect("oneloop takes part")(1_000_000),
        Way::Thread => each(5_000, || thread::spawn(|| {}).join().expect("it does nothing")),
        Way::Process => each(200, || worker::end(worker::start(Job::Nothing))),
    }
}

/// Nanoseconds to hand a byte on and have the other side run: half of a round trip, on one core.
fn switch(way: Way) -> f64 {
    pin_to_one_core();
    let round_trip = match way {
        Way::Task => ping_pong::ROW.measure(Peer::Oneloop).expect("oneloop takes part")(1_000_000),
        Way::Thread => {
            let ((their_input, our_output), (our_input, their_output)) =
                (pipe().expect("a pipe can be made"), pipe().expect("a pipe can be made"));
            let other = thread::spawn(move || return_bytes(their_input, their_output));
            let nanos = throw(our_input, our_output);
            other.join().expect("the other side has ended");
            nanos
        }
        Way::Process => {
            let mut worker = worker::start(Job::Return);
            let nanos = throw(worker.stdout.take().expect("piped"), worker.stdin.take().expect("piped"));
            worker::end(worker);
            nanos
        }
    };
    round_trip / 2.0
}

/// Seconds to start a crowd that waits for one event, and to end it.
fn many(way: Way) -> f64 {
    let begin = Instant::now();
    let count = crowd(way);
    match way {
        Way::Task => run(async { wait_in_tasks(count).await.end().await }),
        Way::Thread => drop(with_threads(count, || 0)),
        Way::Process => {
            let workers: Vec<Child> = (0..count).map(|_| worker::start(Job::Wait)).collect();
            workers.into_iter().for_each(worker::end);
        }
    }
    begin.elapsed().as_secs_f64()
}

/// Seconds for a hundred waits of a tenth of a second, all at once.
fn waiting(way: Way) -> f64 {
    let begin = Instant::now();
    match way {
        Way::Task => run(async { drop(gather((0..WAITS).map(|_| sleep(WAIT))).await) }),
        Way::Thread | Way::Process => blocking_calls(way),
    }
    begin.elapsed().as_secs_f64()
}

/// How many times as fast a computation for each core is when all go on at once.
fn cores(way: Way) -> f64 {
    let cores = machine::cores() as u64;
    let begin = Instant::now();
    (0..cores).for_each(|_| worker::compute());
    let one_by_one = begin.elapsed();
    let begin = Instant::now();
    match way {
        Way::Task => run(async {
            gather((0..cores).map(|_| async { worker::compute() })).await;
        }),
        Way::Thread => in_threads(cores, worker::compute),
        Way::Process => in_processes(cores, Job::Compute),
    }
    one_by_one.as_secs_f64() / begin.elapsed().as_secs_f64()
}

/// Seconds for a hundred calls of a function that blocks for a tenth of a second, all at once.
fn blocking(way: Way) -> f64 {
    let begin = Instant::now();
    match way {
        Way::Task => run(async { drop(gather((0..WAITS).map(|_| async { thread::sleep(WAIT) })).await) }),
        Way::Thread | Way::Process => blocking_calls(way),
    }
    begin.elapsed().as_secs_f64()
}

fn blocking_calls(way: Way) {
    match way {
        Way::Process => in_processes(WAITS, Job::Sleep(WAIT.as_millis() as u64)),
        Way::Thread | Way::Task => in_threads(WAITS, || thread::sleep(WAIT)),
    }
}

fn in_threads(count: u64, work: fn()) {
    let threads: Vec<_> = (0..count).map(|_| thread::spawn(work)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("the work does not panic"));
}

fn in_processes(count: u64, job: Job) {
    let workers: Vec<Child> = (0..count).map(|_| worker::start(job)).collect();
    workers.into_iter().for_each(worker::end);
}

/// By how much `held` is larger while so many threads wait.
fn with_threads(count: u64, held: impl Fn() -> u64) -> f64 {
    let before = held();
    let [ready, end] = std::array::from_fn(|_| Arc::new(Barrier::new(count as usize + 1)));
    let threads: Vec<_> = (0..count)
        .map(|_| {
            let (ready, end) = (Arc::clone(&ready), Arc::clone(&end));
            thread::spawn(move || (ready.wait(), end.wait()))
        })
        .collect();
    ready.wait();
    let growth = held() as f64 - before as f64;
    end.wait();
    for thread in threads {
        thread.join().expect("waiting does not panic");
    }
    growth
}

/// Tasks that wait for one event.
struct Crowd {
    event: Event,
    tasks: Vec<oneloop::JoinHandle<()>>,
}

impl Crowd {
    async fn end(self) {
        self.event.set();
        for task in self.tasks {
            task.await.expect("waiting does not panic");
        }
    }
}

async fn wait_in_tasks(count: u64) -> Crowd {
    let event = Event::new();
    let wait = |event: Event| async move { event.wait().await };
    let tasks = (0..count).map(|_| spawn(wait(event.clone()))).collect();
    // In the turn after this one all of them wait.
    yield_now().await;
    Crowd { event, tasks }
}

/// A worker that waits already: it has answered once.
fn ready_worker() -> Child {
    let mut worker = worker::start(Job::Return);
    let (input, output) = (worker.stdin.as_mut().expect("piped"), worker.stdout.as_mut().expect("piped"));
    input.write_all(&[1]).and_then(|()| output.read_exact(&mut [0])).expect("the worker answers");
    worker
}

/// Nanoseconds for one byte there and back.
fn throw(mut input: impl Read, mut output: impl Write) -> f64 {
    let mut byte = [1];
    let nanos = each(100_000, || {
        output.write_all(&byte).and_then(|()| input.read_exact(&mut byte)).expect("the other side answers");
    });
    drop(output);
    nanos
}

fn return_bytes(mut input: impl Read, mut output: impl Write) {
    let mut byte = [0];
    while input.read_exact(&mut byte).is_ok() {
        output.write_all(&byte).expect("the other side reads");
    }
}

/// Nanoseconds for one of so many calls.
fn each(count: u32, mut call: impl FnMut()) -> f64 {
    let begin = Instant::now();
    (0..count).for_each(|_| call());
    begin.elapsed().as_nanos() as f64 / f64::from(count)
}

/// Bytes of memory that a process has to itself, and their page tables.
fn own_pages(process: u32) -> u64 {
    let pages = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("Linux has smaps_rollup");
    field(&pages, "Private_Clean") + field(&pages, "Private_Dirty") + status_of(&process.to_string(), "VmPTE")
}

/// Bytes that the kernel holds for the stacks of all threads on this machine.
fn kernel_stacks() -> u64 {
    field(&fs::read_to_string("/proc/meminfo").expect("Linux has /proc/meminfo"), "KernelStack")
}

fn status(name: &str) -> u64 {
    status_of("self", name)
}

fn status_of(process: &str, name: &str) -> u64 {
    field(&fs::read_to_string(format!("/proc/{process}/status")).expect("Linux has status files"), name)
}

/// The bytes in a line like `VmPTE:   52 kB`.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or_else(|| panic!("the kernel does not tell {name}")) * 1024
}
