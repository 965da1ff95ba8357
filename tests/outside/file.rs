//! An open file: read ahead, write behind.

use std::io::{ErrorKind, SeekFrom};
use std::path::PathBuf;

use futures_lite::future::poll_once;
use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, StreamExt};
use oneloop::fs::File;
use oneloop::trace::EventKind;
use oneloop::{EventLoop, fs, yield_now};

use crate::recorder::Recorder;
use crate::support::virtual_loop;
use crate::{begun_and_given_up, loop_of_one_thread};

/// A folder that goes with its first half, and a path in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    (folder, path)
}

async fn read_all(file: &mut File) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), [0; 1000]);
    loop {
        match File::read(file, &mut buffer).await.unwrap() {
            0 => return all,
            length => all.extend_from_slice(&buffer[..length]),
        }
    }
}

#[test]
fn what_was_written_is_read_again_in_another_place() {
    let (_folder, path) = place();
    virtual_loop().run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        File::write_all(&mut file, b"0123456789").await.unwrap();
        assert_eq!(File::seek(&mut file, SeekFrom::Start(3)).await.unwrap(), 3);
        let mut buffer = [0; 2];
        assert_eq!(File::read(&mut file, &mut buffer).await.unwrap(), 2);
        assert_eq!(&buffer, b"34");
        // What was read ahead does not count: the reader is at 5.
        assert_eq!(File::seek(&mut file, SeekFrom::Current(2)).await.unwrap(), 7);
        assert_eq!(read_all(&mut file).await, b"789");
        assert_eq!(File::seek(&mut file, SeekFrom::End(-1)).await.unwrap(), 9);
        assert_eq!(file.path(), path);
    });
}

#[test]
fn writing_goes_to_where_the_reader_is() {
    let (_folder, path) = place();
    std::fs::write(&path, "0123456789").unwrap();
    virtual_loop().run_until_complete(async {
        let options = std::fs::OpenOptions::new().read(true).write(true).to_owned();
        let mut file = File::open_with(&options, &path).await.unwrap();
        File::read(&mut file, &mut [0; 4]).await.unwrap();
        File::write_all(&mut file, b"xy").await.unwrap();
        assert_eq!(read_all(&mut file).await, b"6789");
        File::flush(&mut file).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"0123xy6789");
        file.rewind().await.unwrap();
        assert_eq!(File::read(&mut file, &mut [0; 4]).await.unwrap(), 4);
        file.set_len(5).await.unwrap();
        assert_eq!(read_all(&mut file).await, b"x");
    });
}

#[test]
fn a_big_file_arrives_whole_whatever_the_size_of_the_pieces() {
    let (_folder, path) = place();
    let bytes: Vec<u8> = (0..3_000_000).map(|index: u32| (index % 251) as u8).collect();
    virtual_loop().run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        let (small, large) = bytes.split_at(200_000);
        for piece in small.chunks(7) {
            File::write_all(&mut file, piece).await.unwrap();
        }
        File::write_all(&mut file, large).await.unwrap();
        file.rewind().await.unwrap();
        assert!(read_all(&mut file).await == bytes);
        file.rewind().await.unwrap();
        let mut buffer = vec![0; 2_000_000];
        let length = File::read(&mut file, &mut buffer).await.unwrap();
        assert!(length > 64 * 1024 && buffer[..length] == bytes[..length], "{length} at once");
        file.sync_all().await.unwrap();
        file.sync_data().await.unwrap();
        assert_eq!(file.metadata().await.unwrap().len(), 3_000_000);
    });
    assert!(std::fs::read(&path).unwrap() == bytes);
}

#[test]
fn small_reads_and_writes_cost_no_job_each() {
    let (_folder, path) = place();
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        for _ in 0..10_000 {
            assert_eq!(File::write(&mut file, b"x").await.unwrap(), 1);
        }
        file.rewind().await.unwrap();
        for _ in 0..10_000 {
            assert_eq!(File::read(&mut file, &mut [0]).await.unwrap(), 1);
        }
        assert_eq!(File::read(&mut file, &mut [0]).await.unwrap(), 0);
    });
    let jobs =
        recorder.events().iter().filter(|event| matches!(event.kind, EventKind::JobNew { .. })).count();
    assert_eq!(jobs, 4, "opened, written and rewound, read, and the end seen");
}

#[test]
fn a_file_dropped_without_flush_is_written() {
    let (_folder, path) = place();
    virtual_loop().run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        File::write_all(&mut file, b"kept").await.unwrap();
    });
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
}

#[test]
fn a_file_that_outlives_its_loop_is_written_when_it_is_dropped() {
    let (_folder, path) = place();
    let file = virtual_loop().run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        File::write_all(&mut file, b"kept").await.unwrap();
        file
    });
    assert_eq!(std::fs::read(&path).unwrap(), b"", "it was not flushed");
    drop(file);
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
}

#[test]
fn a_file_whose_job_a_closing_loop_refuses_is_written() {
    let (_folder, path) = place();
    let event_loop = loop_of_one_thread();
    let (release, released) = std::sync::mpsc::channel::<()>();
    event_loop.run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        File::write_all(&mut file, b"kept").await.unwrap();
        // The only thread is taken, until the loop refuses the last job: so the flush never starts.
        drop(oneloop::spawn_blocking(move || released.recv()));
        assert!(poll_once(File::flush(&mut file)).await.is_none());
        drop(oneloop::spawn_blocking(move || drop(release)));
    });
    drop(event_loop);
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
}

#[test]
fn a_cancelled_read_loses_nothing() {
    let (_folder, path) = place();
    std::fs::write(&path, "0123456789").unwrap();
    loop_of_one_thread().run_until_complete(async {
        let mut file = File::open(&path).await.unwrap();
        begun_and_given_up(File::read(&mut file, &mut [0; 4])).await;
        assert_eq!(read_all(&mut file).await, b"0123456789");
    });
}

#[test]
fn the_end_seen_by_a_read_that_was_given_up_is_looked_for_again() {
    let (_folder, path) = place();
    std::fs::write(&path, "").unwrap();
    loop_of_one_thread().run_until_complete(async {
        let mut file = File::open(&path).await.unwrap();
        begun_and_given_up(File::read(&mut file, &mut [0; 4])).await;
        std::fs::write(&path, "more").unwrap();
        assert_eq!(read_all(&mut file).await, b"more");
    });
}

#[test]
fn what_cannot_be_written_is_told_at_the_flush() {
    loop_of_one_thread().run_until_complete(async {
        let options = std::fs::OpenOptions::new().write(true).to_owned();
        let mut file = File::open_with(&options, "/dev/full").await.unwrap();
        File::write_all(&mut file, b"x").await.unwrap();
        let error = File::flush(&mut file).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(error.to_string().contains("cannot write \"/dev/full\""), "{error}");
        File::flush(&mut file).await.unwrap(); // it was told, once
        // Somebody who flushes and does not wait leaves the error to whoever comes next.
        File::write_all(&mut file, b"x").await.unwrap();
        begun_and_given_up(File::flush(&mut file)).await;
        assert_eq!(File::write(&mut file, b"y").await.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(File::write(&mut file, b"y").await.unwrap(), 1);
        assert!(File::flush(&mut file).await.is_err());
    });
}

#[test]
fn appending_goes_to_the_end() {
    let (_folder, path) = place();
    std::fs::write(&path, "old\n").unwrap();
    virtual_loop().run_until_complete(async {
        let options = std::fs::OpenOptions::new().append(true).to_owned();
        let mut file = File::open_with(&options, &path).await.unwrap();
        File::write_all(&mut file, b"new\n").await.unwrap();
        File::flush(&mut file).await.unwrap();
        let options = std::fs::OpenOptions::new().write(true).create_new(true).to_owned();
        let error = File::open_with(&options, &path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    });
    assert_eq!(std::fs::read(&path).unwrap(), b"old\nnew\n");
}

#[test]
fn a_place_that_cannot_be_is_refused_and_the_file_stays_usable() {
    let (_folder, path) = place();
    std::fs::write(&path, "abc").unwrap();
    virtual_loop().run_until_complete(async {
        let mut file = File::open(&path).await.unwrap();
        File::read(&mut file, &mut [0; 1]).await.unwrap();
        for wrong in [SeekFrom::Current(-2), SeekFrom::Current(i64::MIN), SeekFrom::End(-4)] {
            let error = File::seek(&mut file, wrong).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        }
        assert_eq!(read_all(&mut file).await, b"bc");
    });
}

#[test]
fn other_libraries_use_it_through_the_traits() {
    let (_folder, path) = place();
    virtual_loop().run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        AsyncWriteExt::write_all(&mut file, b"one\ntwo\nthree").await.unwrap();
        AsyncWriteExt::flush(&mut file).await.unwrap();
        assert_eq!(AsyncSeekExt::seek(&mut file, SeekFrom::Start(4)).await.unwrap(), 4);
        let mut text = String::new();
        AsyncReadExt::read_to_string(&mut file, &mut text).await.unwrap();
        assert_eq!(text, "two\nthree");
        AsyncSeekExt::seek(&mut file, SeekFrom::Start(0)).await.unwrap();
        let lines: Vec<_> = (&mut file).lines().map(|line| line.unwrap()).collect().await;
        assert_eq!(lines, ["one", "two", "three"]);
        AsyncWriteExt::close(&mut file).await.unwrap();
    });
}

#[test]
fn the_jobs_of_one_file_do_not_overtake_one_another() {
    let (_folder, path) = place();
    loop_of_one_thread().run_until_complete(async {
        let mut file = File::create(&path).await.unwrap();
        for round in 0..50 {
            File::write_all(&mut file, format!("{round:03}\n").as_bytes()).await.unwrap();
            // Begun and given up, every other time.
            if round % 2 == 0 {
                begun_and_given_up(File::flush(&mut file)).await;
                yield_now().await;
            }
        }
        File::flush(&mut file).await.unwrap();
        let text = fs::read_to_string(&path).await.unwrap();
        let expected: String = (0..50).map(|round| format!("{round:03}\n")).collect();
        assert_eq!(text, expected);
    });
}
