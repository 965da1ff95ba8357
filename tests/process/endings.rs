//! How children end, who hears of it, and what is left of them: nothing.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use futures_lite::future::poll_once;
use oneloop::process::{Command, Stdio};
use oneloop::signal::SignalKind;
use oneloop::{Either, race, sleep, spawn, wait_for, yield_now};

use crate::{exists, line, say, shell, virtual_loop, wait_until_gone};

#[test]
fn a_child_is_waited_for_and_its_end_stays_known() {
    virtual_loop().run_until_complete(async {
        let child = shell("read x; exit 3");
        assert!(exists(child.id()));
        assert!(child.try_wait().unwrap().is_none());
        say(&child, "end\n").await;
        assert_eq!(child.wait().await.unwrap().code(), Some(3));
        assert_eq!(child.wait().await.unwrap().code(), Some(3));
        assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(3));
        // Its number may be another's by now, who is left alone.
        child.kill().unwrap();
        child.terminate().unwrap();
    });
}

#[test]
fn waiting_for_a_child_keeps_virtual_time_from_jumping() {
    virtual_loop().run_until_complete(async {
        let child = Command::new("true").spawn().unwrap();
        match race(child.wait(), sleep(Duration::from_secs(3600))).await {
            Either::Left(status) => assert!(status.unwrap().success()),
            Either::Right(()) => panic!("time jumped"),
        }
    });
}

#[test]
fn everyone_who_waits_hears_of_the_end() {
    virtual_loop().run_until_complete(async {
        let child = std::rc::Rc::new(shell("read x; exit 5"));
        let waits: Vec<_> = (0..10)
            .map(|_| {
                let child = std::rc::Rc::clone(&child);
                spawn(async move { child.wait().await.unwrap().code() })
            })
            .collect();
        yield_now().await;
        let shown = format!("{:?}", waits[0]);
        assert!(shown.contains("process/endings.rs") && shown.contains("a child process to end"), "{shown}");
        waits[3].cancel();
        say(&child, "\n").await;
        for (index, wait) in waits.into_iter().enumerate() {
            match wait.await {
                Ok(code) => assert_eq!(code, Some(5)),
                Err(error) => assert!(error.is_cancelled() && index == 3),
            }
        }
    });
}

#[test]
fn a_wait_that_was_given_up_takes_nothing_with_it() {
    virtual_loop().run_until_complete(async {
        let child = shell("read x");
        assert!(poll_once(child.wait()).await.is_none());
        say(&child, "\n").await;
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_child_that_ignores_sigterm_is_ended_by_kill() {
    virtual_loop().run_until_complete(async {
        let child = shell("trap '' TERM; echo ready; read x; echo still here; read x");
        assert_eq!(line(&child).await, "ready");
        child.terminate().unwrap();
        say(&child, "\n").await;
        assert_eq!(line(&child).await, "still here");
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        assert_eq!(child.wait().await.unwrap().signal(), Some(9));
    });
}

#[test]
fn a_child_gets_the_signal_that_is_sent() {
    virtual_loop().run_until_complete(async {
        let child = shell("trap 'echo got it' USR1; echo ready; while :; do read x && exit 0; done");
        assert_eq!(line(&child).await, "ready");
        child.send_signal(SignalKind::USER_1).unwrap();
        assert_eq!(line(&child).await, "got it");
        let error = child.send_signal(SignalKind::from_raw(4000)).unwrap_err().to_string();
        assert!(error.contains("signal 4000 cannot be sent to \"sh\""), "{error}");
        say(&child, "\n").await;
        child.wait().await.unwrap();
        let child = shell("kill -KILL $$");
        assert_eq!(child.wait().await.unwrap().signal(), Some(9));
    });
}

#[test]
fn a_child_that_takes_too_long_can_be_ended() {
    virtual_loop().run_until_complete(async {
        let child = shell("exec cat");
        assert!(wait_for(child.wait(), Duration::from_millis(1)).await.is_err());
        child.terminate().unwrap();
        assert_eq!(child.wait().await.unwrap().signal(), Some(15));
    });
}

#[test]
fn a_dropped_child_that_was_to_be_killed_is_gone() {
    let id = virtual_loop().run_until_complete(async { shell("exec cat").id() });
    wait_until_gone(id);
}

#[test]
fn a_cancelled_task_takes_its_child_with_it() {
    virtual_loop().run_until_complete(async {
        let (tell, told) = oneloop::sync::oneshot::channel();
        let task = spawn(async move {
            let child = shell("exec cat");
            tell.send(child.id()).unwrap();
            child.wait().await.unwrap();
        });
        let id = told.await.unwrap();
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        wait_until_gone(id);
    });
}

#[test]
fn a_dropped_child_goes_on_and_leaves_no_zombie() {
    let folder = tempfile::tempdir().unwrap();
    let (id, stdin) = virtual_loop().run_until_complete(async {
        let mut command = Command::new("sh");
        command.args(["-c", "read x; echo done > file"]).current_dir(folder.path()).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        (child.id(), child.stdin.take())
    });
    assert!(exists(id), "its end is not there yet");
    assert!(!folder.path().join("file").exists());
    drop(stdin);
    wait_until_gone(id);
    assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"done\n");
}
