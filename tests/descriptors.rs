//! A process without file descriptors: `accept` and `connect` pause, and go on when there are some again.
//!
//! The limit belongs to a whole process, so the test calls itself with a low one.
#![cfg(unix)]

mod support;

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use oneloop::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use oneloop::{sleep, spawn, time, yield_now};
use support::{Log, virtual_loop};

/// Set in the process that has few descriptors.
const FEW: &str = "ONELOOP_TEST_FEW_DESCRIPTORS";

#[test]
fn accept_and_connect_pause_until_there_are_descriptors_again() {
    with_few("accept_and_connect_pause_until_there_are_descriptors_again", starve);
}

#[test]
fn unix_sockets_pause_until_there_are_descriptors_again() {
    with_few("unix_sockets_pause_until_there_are_descriptors_again", starve_unix);
}

#[test]
fn children_and_files_fail_with_a_reason_and_leave_nothing() {
    with_few("children_and_files_fail_with_a_reason_and_leave_nothing", starve_children);
}

/// Has `test`, whose name is `name`, called in a process with few descriptors.
fn with_few(name: &str, test: fn()) {
    if std::env::var_os(FEW).is_some() {
        return test();
    }
    let own = std::env::current_exe().unwrap();
    let mut child = Command::new("sh");
    child.args(["-c", "ulimit -n 40 && exec \"$0\" \"$@\""]).arg(own).args([name, "--exact", "--nocapture"]);
    let output = child.env(FEW, "1").output().expect("there is a shell");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn starve() {
    pause(async |log| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The system takes this connection before anybody accepts it.
        let _early = std::net::TcpStream::connect(address).unwrap();
        let accept = async move || drop(listener.accept().await.unwrap());
        while_starved(log, accept, async move || drop(TcpStream::connect(address).await.unwrap())).await;
    });
}

fn starve_unix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    pause(async |log| {
        let listener = UnixListener::bind(&path).unwrap();
        let _early = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let accept = async move || drop(listener.accept().await.unwrap());
        while_starved(log, accept, async move || drop(UnixStream::connect(&path).await.unwrap())).await;
    });
}

fn pause(test: impl AsyncFnOnce(Log)) {
    let log = Log::default();
    virtual_loop().run_until_complete(test(log.clone()));
    // Tried at 0, 50 and 100 ms; freed at 120 ms.
    assert_eq!(log.lines(), ["accepted after 150ms", "connected after 150ms"]);
}

/// Takes all descriptors there are for 120 ms, and meanwhile has a connection that came in accepted, and another one
/// made and accepted.
async fn while_starved(log: Log, accept: impl AsyncFn() + 'static, connect: impl AsyncFnOnce() + 'static) {
    let mut all = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        all.push(file);
    }
    let start = time();
    let noted = log.clone();
    let accepts = spawn(async move {
        accept().await;
        noted.note(format!("accepted after {:?}", time() - start));
        accept().await;
    });
    let connects = spawn(async move {
        connect().await;
        log.note(format!("connected after {:?}", time() - start));
    });
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(!accepts.is_finished() && !connects.is_finished(), "no error came out");
    sleep(Duration::from_millis(120)).await;
    drop(all);
    accepts.await.unwrap();
    connects.await.unwrap();
}

fn starve_children() {
    virtual_loop().run_until_complete(async {
        oneloop::fs::read("/dev/null").await.unwrap(); // the pool has its thread
        let mut all = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            all.push(file);
        }
        let cat = || {
            let mut cat = oneloop::process::Command::new("cat");
            cat.stdin(oneloop::process::Stdio::null());
            cat
        };
        let error = oneloop::fs::read("/dev/null").await.unwrap_err().to_string();
        assert!(error.contains("cannot read \"/dev/null\""), "{error}");
        for free in 0..6 {
            // With few descriptors it fails sooner or later on its way.
            match cat().spawn() {
                Ok(_) if free > 0 => break,
                spawned => {
                    let error = spawned.unwrap_err().to_string();
                    assert!(error.contains("cannot run \"cat\""), "{error}");
                }
            }
            all.pop();
        }
        drop(all);
        let mut output = cat();
        assert!(output.output().await.unwrap().status.success());
        drop(cat().spawn().unwrap());
        // Children, zombies among them, of whichever thread.
        let children = || -> usize {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            let lists = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("children")));
            lists.map(|list| list.unwrap_or_default().split_whitespace().count()).sum()
        };
        let began = std::time::Instant::now();
        while cfg!(target_os = "linux") && children() > 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "{} children are left", children());
            yield_now().await;
        }
    });
}
