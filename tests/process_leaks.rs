//! Many children, one after the other and all at once, leave neither zombies nor descriptors. One test, since it
//! counts what the whole process has.
#![cfg(target_os = "linux")]

use oneloop::process::{Command, Stdio};
use oneloop::{EventLoop, yield_now};

/// Descriptors this process has.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Children this process has, zombies and others.
fn children() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let lists =
        tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default());
    lists.map(|list| list.split_whitespace().count()).sum()
}

#[test]
fn a_thousand_children_leave_neither_zombies_nor_descriptors() {
    EventLoop::builder().virtual_time().build().unwrap().run_until_complete(async {
        Command::new("true").output().await.unwrap();
        let before = descriptors();
        for round in 0..1000 {
            match round % 3 {
                0 => assert!(Command::new("true").status().await.unwrap().success()),
                1 => assert!(Command::new("true").output().await.unwrap().status.success()),
                // Nobody waits for this one.
                _ => drop(Command::new("true").stdin(Stdio::piped()).spawn().unwrap()),
            }
        }
        // All of these are running when they are dropped.
        let many: Vec<_> = (0..50)
            .map(|_| Command::new("cat").stdin(Stdio::piped()).kill_on_drop(true).spawn().unwrap())
            .collect();
        assert!(children() >= 50);
        drop(many);
        while children() > 0 || descriptors() > before {
            yield_now().await;
        }
    });
}
