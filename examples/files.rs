//! A file written and read while the loop goes on.
//!
//! A disk cannot be awaited as a socket can: the operating system only has calls that block. So each call here is a
//! job for the pool, and the task that awaits it is suspended; others have their turns. `fs::write` and `fs::read`
//! are one job for a whole file. A `File` is for pieces, and gathers small ones.
//!
//! ```text
//! $ cargo run --example files
//! wrote 1000000 bytes
//! read 1000000 bytes, the same: true
//! line by line: first second third
//! another task had its turns meanwhile: true
//! ```
//!
//! Read next: `src/fs.rs`, what can be promised of files and what cannot.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::rc::Rc;

use futures_lite::{AsyncBufReadExt, StreamExt};
use oneloop::fs::{self, File};
use oneloop::{spawn, yield_now};

async fn whole(path: &Path) -> io::Result<()> {
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(path, bytes.as_slice()).await?;
    println!("wrote {} bytes", bytes.len());
    let read = fs::read(path).await?;
    println!("read {} bytes, the same: {}", read.len(), read == bytes);
    Ok(())
}

async fn line_by_line(path: &Path) -> io::Result<()> {
    let mut file = File::create(path).await?;
    for line in ["first\n", "second\n", "third\n"] {
        file.write_all(line.as_bytes()).await?;
    }
    // What was written has only gathered so far.
    file.flush().await?;
    let lines: Vec<String> = File::open(path).await?.lines().try_collect().await?;
    println!("line by line: {}", lines.join(" "));
    Ok(())
}

fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    oneloop::run(async {
        let turns = Rc::new(Cell::new(0));
        let count = Rc::clone(&turns);
        let other = spawn(async move {
            loop {
                count.set(count.get() + 1);
                yield_now().await;
            }
        });
        whole(&folder.path().join("bytes")).await?;
        line_by_line(&folder.path().join("lines")).await?;
        println!("another task had its turns meanwhile: {}", turns.get() > 1);
        other.cancel();
        Ok(())
    })
}
