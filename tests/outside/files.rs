//! The functions of `fs`, and folders.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use futures_lite::future::poll_once;
use oneloop::{Either, fs, race, sleep, spawn, yield_now};

use crate::support::virtual_loop;
use crate::{begun_and_given_up, loop_of_one_thread};

/// Makes a named pipe.
fn make_fifo(path: &Path) {
    // Not by a child: one that is just being started has a copy of every descriptor, and other tests close theirs.
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    virtual_loop().run_until_complete(async {
        fs::write(&path, "hällo").await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), "hällo".as_bytes());
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "hällo");
        assert_eq!(fs::metadata(&path).await.unwrap().len(), 6);
        fs::write(&path, vec![0xff]).await.unwrap();
        let error = fs::read_to_string(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    });
}

#[test]
fn files_are_moved_copied_linked_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    virtual_loop().run_until_complete(async {
        fs::create_dir_all(path("a/b/c")).await.unwrap();
        fs::create_dir(path("d")).await.unwrap();
        fs::write(path("d/one"), "1").await.unwrap();
        assert_eq!(fs::copy(path("d/one"), path("two")).await.unwrap(), 1);
        fs::rename(path("two"), path("three")).await.unwrap();
        assert!(!fs::exists(path("two")).await.unwrap() && fs::exists(path("three")).await.unwrap());
        fs::symlink("three", path("link")).await.unwrap();
        assert_eq!(fs::read_link(path("link")).await.unwrap(), Path::new("three"));
        assert!(fs::symlink_metadata(path("link")).await.unwrap().is_symlink());
        let full = fs::canonicalize(path("link")).await.unwrap();
        assert_eq!(full, path("three").canonicalize().unwrap());
        fs::hard_link(path("three"), path("four")).await.unwrap();
        fs::remove_file(path("three")).await.unwrap();
        assert_eq!(fs::read(path("four")).await.unwrap(), b"1");
        let mut permissions = fs::metadata(path("four")).await.unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(path("four"), permissions).await.unwrap();
        assert!(fs::metadata(path("four")).await.unwrap().permissions().readonly());
        fs::remove_dir(path("a/b/c")).await.unwrap();
        assert_eq!(fs::remove_dir(path("a")).await.unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
        fs::remove_dir_all(path("a")).await.unwrap();
    });
    assert!(!path("a").exists());
}

#[test]
fn errors_name_what_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing");
    virtual_loop().run_until_complete(async {
        let error = fs::read(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let text = error.to_string();
        assert!(text.starts_with("cannot read \"") && text.contains("/missing\": No such file"), "{text}");
        let text = fs::rename(&path, folder.path().join("there")).await.unwrap_err().to_string();
        assert!(text.contains("cannot rename") && text.contains("missing\" to \""), "{text}");
        let text = fs::File::open(&path).await.unwrap_err().to_string();
        assert!(text.contains("cannot open") && text.contains("missing"), "{text}");
    });
}

#[test]
fn a_path_need_not_be_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"n\xf6t \xff"));
    virtual_loop().run_until_complete(async {
        fs::write(&path, "x").await.unwrap();
        let mut entries = fs::read_dir(folder.path());
        let entry = entries.next_entry().await.unwrap().unwrap();
        assert_eq!(entry.file_name().as_bytes(), b"n\xf6t \xff");
        fs::remove_file(&path).await.unwrap();
        let error = fs::read(&path).await.unwrap_err().to_string();
        assert!(error.contains("n\\xF6t \\xFF"), "{error}");
    });
}

#[test]
fn a_future_never_polled_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    virtual_loop().run_until_complete(async {
        drop(fs::write(&path, "x"));
        yield_now().await;
    });
    assert!(!path.exists());
}

#[test]
fn a_write_that_was_given_up_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    make_fifo(&path);
    let read = virtual_loop().run_until_complete(async {
        // It blocks until somebody reads, so it cannot have ended when it is given up.
        assert!(poll_once(fs::write(&path, "all of it")).await.is_none());
        fs::read(&path).await.unwrap()
    });
    assert_eq!(read, b"all of it");
}

#[test]
fn a_task_that_waits_for_a_file_says_so_and_keeps_time_from_jumping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    make_fifo(&path);
    virtual_loop().run_until_complete(async {
        let reads = spawn({
            let path = path.clone();
            async move { fs::read(path).await }
        });
        yield_now().await;
        let shown = format!("{reads:?}");
        assert!(
            shown.contains("outside/files.rs") && shown.contains("a job of the blocking pool"),
            "{shown}"
        );
        std::thread::spawn(move || std::fs::write(path, "late").unwrap());
        match race(reads, sleep(Duration::from_secs(3600))).await {
            Either::Left(read) => assert_eq!(read.unwrap().unwrap(), b"late"),
            Either::Right(()) => panic!("time jumped"),
        }
    });
}

#[test]
fn a_folder_with_many_files_is_read_in_batches() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..1000 {
        std::fs::File::create(folder.path().join(index.to_string())).unwrap().write_all(b"x").unwrap();
    }
    loop_of_one_thread().run_until_complete(async {
        let (mut entries, mut found) = (fs::read_dir(folder.path()), Vec::new());
        // One wait is given up half way: what its job brings is not lost.
        begun_and_given_up(entries.next_entry()).await;
        while let Some(entry) = entries.next_entry().await.unwrap() {
            assert!(entry.file_type().unwrap().is_file());
            found.push(entry.file_name().to_str().unwrap().parse::<usize>().unwrap());
        }
        found.sort_unstable();
        assert!(found.into_iter().eq(0..1000));
        assert!(entries.next_entry().await.unwrap().is_none(), "the end stays the end");
    });
}

#[test]
fn a_folder_that_is_not_there_is_an_error_and_then_the_end() {
    let folder = tempfile::tempdir().unwrap();
    virtual_loop().run_until_complete(async {
        let mut entries = fs::read_dir(folder.path().join("missing"));
        let error = entries.next_entry().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("missing"), "{error}");
        assert!(entries.next_entry().await.unwrap().is_none());
    });
}
