//! Worker processes. The workers of this test are this test, so it has a `main` of its own.

#[path = "support/harness.rs"]
mod harness;

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio, exit};
use std::thread;
use std::time::{Duration, Instant};

use oneloop::{EventLoop, ProcessError, ProcessErrorKind, ProcessPool, run, yield_now};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, test_kill_process, waitid};
use tempfile::tempdir;

fn pid(_: &[u8]) -> Vec<u8> {
    std::process::id().to_string().into()
}

fn echo(input: &[u8]) -> Vec<u8> {
    input.to_vec()
}

fn zeros(input: &[u8]) -> Vec<u8> {
    vec![0; text(input).parse().unwrap()]
}

fn end(input: &[u8]) -> Vec<u8> {
    match text(input) {
        "abort" => std::process::abort(),
        code => exit(code.parse().unwrap()),
    }
}

fn fail(input: &[u8]) -> Vec<u8> {
    panic!("no {} today", text(input))
}

/// Leaves its process number in a file, if it is given one, and never returns.
fn hang(file: &[u8]) -> Vec<u8> {
    if !file.is_empty() {
        let file = Path::new(text(file));
        fs::write(file.with_extension("new"), pid(b"")).unwrap();
        fs::rename(file.with_extension("new"), file).unwrap();
    }
    loop {
        thread::park();
    }
}

fn append(input: &[u8]) -> Vec<u8> {
    let (file, line) = text(input).split_once('=').unwrap();
    fs::OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
    Vec::new()
}

/// Returns when there are two of them at work.
fn meet(folder: &[u8]) -> Vec<u8> {
    let folder = Path::new(text(folder));
    fs::write(folder.join(std::process::id().to_string()), "").unwrap();
    until(|| fs::read_dir(folder).unwrap().count() == 2);
    pid(b"")
}

fn rubbish(_: &[u8]) -> Vec<u8> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().unwrap();
    UnixStream::from(stdin).write_all(b"Hello, World!").unwrap();
    hang(b"")
}

/// Dies, and leaves behind a process that holds its standard input.
fn orphan(_: &[u8]) -> Vec<u8> {
    Command::new("sh").args(["-c", "read line"]).spawn().unwrap();
    exit(4)
}

fn nested(_: &[u8]) -> Vec<u8> {
    ProcessPool::new(1);
    Vec::new()
}

fn variable(name: &[u8]) -> Vec<u8> {
    env::var(text(name)).map_or_else(|_| "(not set)".into(), String::into_bytes)
}

fn serve() {
    ProcessPool::serve(&[
        ("pid", pid),
        ("echo", echo),
        ("zeros", zeros),
        ("end", end),
        ("fail", fail),
        ("hang", hang),
        ("append", append),
        ("meet", meet),
        ("rubbish", rubbish),
        ("orphan", orphan),
        ("nested", nested),
        ("variable", variable),
    ]);
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Waits for another process.
fn until(mut ready: impl FnMut() -> bool) {
    let began = Instant::now();
    while !ready() {
        assert!(began.elapsed() < Duration::from_secs(60), "this should have happened by now");
        // Nothing tells: these are other processes' files, and processes that are no children of this one.
        thread::sleep(Duration::from_millis(1));
    }
}

fn number(pid: &[u8]) -> Pid {
    Pid::from_raw(text(pid).parse().unwrap()).unwrap()
}

/// Whether a worker is there, dead or alive: one that was waited for is not.
fn exists(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

/// The error of a job on a new pool of one worker, which must then call another job all the same.
fn error_of(job: &str, input: &str) -> ProcessError {
    run(async {
        let pool = ProcessPool::new(1);
        let before = pool.run("pid", "").await.unwrap();
        let error = pool.run(job, input).await.unwrap_err();
        let after = pool.run("pid", "").await.unwrap();
        assert!(before != after, "the worker was replaced");
        assert!(!exists(number(&before)), "the old one is gone");
        assert_eq!(error.job(), job);
        error
    })
}

fn a_job_is_called_in_another_process_and_its_bytes_come_back() {
    run(async {
        let pool = ProcessPool::new(1);
        assert!(pool.run("pid", "").await.unwrap() != pid(b""));
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        assert!(pool.run("echo", &bytes).await.unwrap() == bytes);
        assert_eq!(pool.run("echo", "").await.unwrap(), b"");
    });
}

fn one_worker_calls_all_jobs_in_the_order_they_were_given() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("order");
    run(async {
        let pool = ProcessPool::new(1);
        let first = pool.run("pid", "");
        let jobs: Vec<_> =
            (0..10).map(|number| pool.run("append", format!("{}={number}", file.display()))).collect();
        let last = pool.run("pid", "");
        for job in jobs {
            job.await.unwrap();
        }
        assert_eq!(first.await.unwrap(), last.await.unwrap());
    });
    assert_eq!(fs::read_to_string(file).unwrap(), "0123456789");
}

fn as_many_workers_as_were_asked_for_work_at_once() {
    let folder = tempdir().unwrap();
    run(async {
        let pool = ProcessPool::new(2);
        assert_eq!(pool.workers(), 2);
        let jobs = [(); 2].map(|()| pool.run("meet", folder.path().to_str().unwrap()));
        let mut workers = Vec::new();
        for job in jobs {
            workers.push(job.await.unwrap());
        }
        let jobs: Vec<_> = (0..10).map(|_| pool.run("pid", "")).collect();
        for job in jobs {
            assert!(workers.contains(&job.await.unwrap()), "there is no third worker");
        }
    });
}

fn a_worker_that_exits_or_is_killed_fails_its_job_and_is_replaced() {
    let error = error_of("end", "3");
    assert_eq!(error.to_string(), "job \"end\": its worker process died (exit status: 3)");
    assert_eq!(error.end().and_then(|end| end.code()), Some(3));
    let error = error_of("end", "abort");
    assert!(error.to_string().contains("died (signal: 6 (SIGABRT)"), "{error}");
}

fn a_worker_whose_children_hold_its_stream_is_found_dead_all_the_same() {
    let error = error_of("orphan", "");
    assert_eq!(error.to_string(), "job \"orphan\": its worker process died (exit status: 4)");
}

fn a_panic_reaches_whoever_awaits() {
    let error = error_of("fail", "bread");
    assert_eq!(error.to_string(), "job \"fail\": it panicked: no bread today");
    assert!(matches!(error.kind(), ProcessErrorKind::Panicked { message } if message == "no bread today"));
}

fn a_worker_that_talks_rubbish_is_killed() {
    let error = error_of("rubbish", "");
    assert!(matches!(error.kind(), ProcessErrorKind::Garbled), "{error}");
    assert!(error.to_string().starts_with("job \"rubbish\": its worker process sent something that is no"));
}

fn a_job_that_takes_too_long_is_killed_with_its_worker() {
    run(async {
        let pool = ProcessPool::new(1);
        let before = pool.run("pid", "").await.unwrap();
        let hurried = pool.clone().with_time_limit(Duration::from_millis(50));
        let error = hurried.run("hang", "").await.unwrap_err();
        assert!(error.is_timeout());
        let told = "job \"hang\": it took longer than 50ms, and its worker process was killed";
        assert_eq!(error.to_string(), told);
        assert!(!exists(number(&before)));
        let endless = pool.clone().with_time_limit(Duration::MAX);
        assert!(endless.run("pid", "").await.unwrap() != before);
    });
}

fn messages_may_be_as_large_as_the_limit_and_no_larger() {
    run(async {
        let pool = ProcessPool::new(1).with_message_limit(1000);
        assert_eq!(pool.run("echo", [7; 1000]).await.unwrap(), [7; 1000]);
        let before = pool.run("pid", "").await.unwrap();
        let error = pool.run("echo", [7; 1001]).await.unwrap_err();
        assert_eq!(error.to_string(), "job \"echo\": its input has 1001 bytes, and the limit is 1000");
        assert_eq!(pool.run("pid", "").await.unwrap(), before, "the worker has not heard of it");
        let error = pool.run("zeros", "1001").await.unwrap_err();
        let kind = ProcessErrorKind::OutputTooLarge { bytes: 1001, limit: 1000 };
        assert_eq!(format!("{:?}", error.kind()), format!("{kind:?}"));
        assert!(pool.run("pid", "").await.unwrap() != before);
    });
}

fn an_unknown_job_is_an_error_that_lists_the_known_ones() {
    run(async {
        let error = ProcessPool::new(1).run("factorial", "").await.unwrap_err().to_string();
        assert!(error.starts_with("job \"factorial\": no job of this name is served; these are: pid, echo,"));
    });
}

fn a_future_dropped_in_the_middle_kills_the_worker_and_one_in_the_queue_is_never_sent() {
    let folder = tempdir().unwrap();
    let [file, never] = ["pid", "never"].map(|name| folder.path().join(name));
    let event_loop = EventLoop::new().unwrap();
    let (old, new) = event_loop.run_until_complete(async {
        let pool = ProcessPool::new(1);
        let hanging = pool.run("hang", file.to_str().unwrap());
        let queued = pool.run("append", format!("{}=x", never.display()));
        until(|| file.exists());
        drop(queued);
        drop(hanging);
        let new = pool.run("pid", "").await.unwrap();
        (number(&fs::read(&file).unwrap()), number(&new))
    });
    assert!(old != new && !exists(old) && !never.exists());
    event_loop.close();
    assert!(!exists(new), "the pool is gone, and its worker with it");
}

fn a_closing_loop_gives_up_what_its_tasks_wait_for() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("pid");
    let event_loop = EventLoop::new().unwrap();
    event_loop.run_until_complete(async {
        let input = file.to_str().unwrap().to_owned();
        drop(oneloop::spawn(async move { ProcessPool::new(1).run("hang", input).await }));
        yield_now().await;
        until(|| file.exists());
    });
    event_loop.close();
    assert!(!exists(number(&fs::read(&file).unwrap())));
}

fn shutdown_ends_idle_workers_and_refuses_what_has_not_started() {
    let folder = tempdir().unwrap();
    run(async {
        let pool = ProcessPool::new(2);
        let jobs = [(); 2].map(|()| pool.run("meet", folder.path().to_str().unwrap()));
        for job in jobs {
            job.await.unwrap();
        }
        let file = folder.path().join("pid");
        let [hanging, other] = [(); 2].map(|()| pool.run("hang", file.to_str().unwrap()));
        until(|| file.exists());
        let queued = pool.run("pid", "");
        pool.shutdown();
        let error = queued.await.unwrap_err();
        assert_eq!(error.to_string(), "job \"pid\": the pool was shut down before it had started");
        assert!(pool.run("pid", "").await.is_err());
        drop((hanging, other));
        drop(pool);
    });
    assert!(!exists(number(&fs::read(folder.path().join("pid")).unwrap())));
}

fn an_idle_worker_that_somebody_killed_is_replaced_before_it_is_given_a_job() {
    run(async {
        let pool = ProcessPool::new(1);
        let before = number(&pool.run("pid", "").await.unwrap());
        kill_process(before, Signal::KILL).unwrap();
        // Waits for its death, and leaves the waiting to the pool.
        waitid(WaitId::Pid(before), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        assert!(number(&pool.run("pid", "").await.unwrap()) != before);
    });
}

/// This program in another role: its exit code, and what it wrote on standard output and error.
fn play(role: &str, change: impl FnOnce(&mut Command) -> &mut Command) -> (Option<i32>, String, String) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(harness::ROLE, role).stdin(Stdio::null());
    let output = change(&mut command).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), out, err)
}

fn a_program_that_forgets_to_serve_is_told_so() {
    let (code, _, err) = play("forgets", |command| command);
    assert_eq!(code, Some(101));
    assert!(err.contains("ProcessPool::serve was not called: call it first in `main`"), "{err}");
}

fn workers_that_do_not_come_to_serve_start_no_workers() {
    let (code, out, err) = play("serves without arguments", |command| command);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with(
        "job \"pid\": its worker process did not come to ProcessPool::serve (exit status: 101): "
    ));
    assert_eq!(err.matches("a worker process cannot have workers of its own").count(), 1, "{err}");
}

fn a_job_cannot_start_workers_either() {
    let error = error_of("nested", "");
    assert!(error.to_string().contains("it panicked: a worker process cannot have workers"), "{error}");
}

fn a_worker_started_by_hand_says_what_is_wrong() {
    let (code, _, err) = play("", |command| command.arg("--oneloop-worker"));
    assert_eq!(code, Some(101));
    assert!(err.contains("--oneloop-worker is for workers of a ProcessPool"), "{err}");
}

fn oneloop_is_not_inherited_and_the_rest_of_the_environment_is() {
    let (code, out, err) = play("asks", |command| command.env("ONELOOP", "virtual").env("OTHER", "x"));
    assert_eq!((code, &*out), (Some(0), "(not set) x\n"), "{err}");
}

fn no_worker_outlives_its_program_not_even_one_at_work() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(harness::ROLE, "hangs").env("FILE", &file).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut program = command.spawn().unwrap();
    until(|| file.exists());
    program.kill().unwrap();
    // The worker holds the pipe too: it ends only with both.
    let mut rest = String::new();
    program.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    program.wait().unwrap();
}

fn misuse_is_refused_with_a_sentence() {
    for (misuse, told) in [
        ((|| drop(ProcessPool::new(0))) as fn(), "give it at least 1"),
        (|| serve(), "give it all jobs in one call"),
        (|| ProcessPool::serve(&[("twice", pid), ("twice", pid)]), "two jobs are called \"twice\""),
    ] {
        let payload = catch_unwind(misuse).unwrap_err();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or(payload.downcast_ref::<&str>().copied()).unwrap();
        assert!(text.contains(told), "{text}");
    }
}

/// The other programs.
fn other_program(role: &str) {
    match role {
        "forgets" => drop(ProcessPool::new(1)),
        "serves without arguments" => {
            if env::args_os().len() == 1 {
                serve();
            }
            let error = run(async { ProcessPool::new(1).run("pid", "").await.unwrap_err() });
            println!("{error}");
        }
        "asks" => {
            serve();
            let pool = ProcessPool::new(1);
            let ask = async |name| String::from_utf8(pool.run("variable", name).await.unwrap()).unwrap();
            run(async { println!("{} {}", ask("ONELOOP").await, ask("OTHER").await) });
        }
        // Whatever else it is: started by hand.
        "" => serve(),
        "hangs" => {
            serve();
            let file = env::var("FILE").unwrap();
            run(async { ProcessPool::new(1).run("hang", file).await.unwrap() });
        }
        _ => panic!("no program is called {role}"),
    }
}

fn main() -> ExitCode {
    if env::var_os(harness::ROLE).is_none() {
        serve();
    }
    let tests = harness::tests! {
        a_job_is_called_in_another_process_and_its_bytes_come_back
        one_worker_calls_all_jobs_in_the_order_they_were_given
        as_many_workers_as_were_asked_for_work_at_once
        a_worker_that_exits_or_is_killed_fails_its_job_and_is_replaced
        a_worker_whose_children_hold_its_stream_is_found_dead_all_the_same
        a_panic_reaches_whoever_awaits
        a_worker_that_talks_rubbish_is_killed
        a_job_that_takes_too_long_is_killed_with_its_worker
        messages_may_be_as_large_as_the_limit_and_no_larger
        an_unknown_job_is_an_error_that_lists_the_known_ones
        a_future_dropped_in_the_middle_kills_the_worker_and_one_in_the_queue_is_never_sent
        a_closing_loop_gives_up_what_its_tasks_wait_for
        shutdown_ends_idle_workers_and_refuses_what_has_not_started
        an_idle_worker_that_somebody_killed_is_replaced_before_it_is_given_a_job
        a_program_that_forgets_to_serve_is_told_so
        workers_that_do_not_come_to_serve_start_no_workers
        a_job_cannot_start_workers_either
        a_worker_started_by_hand_says_what_is_wrong
        oneloop_is_not_inherited_and_the_rest_of_the_environment_is
        no_worker_outlives_its_program_not_even_one_at_work
        misuse_is_refused_with_a_sentence
    };
    harness::play_or_run(other_program, &tests)
}
