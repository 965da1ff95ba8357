//! A chess master plays 24 games: one after the other, and all at once.
//!
//! She moves in 5 seconds and each opponent in 55, and a game is 30 moves each. Played one by one, she sits and
//! waits most of the time. Played at once, she goes to the next board while an opponent thinks, and is back after
//! two minutes. Nobody has become faster: the waiting overlaps. A semaphore of one permit keeps her at one board
//! at a time, and since its line is fair, she goes round the boards in order.
//!
//! ```text
//! $ cargo run --example chess
//! one after the other: the last reply at 12:00:00
//! all at once: her last move at 1:00:00, the last reply at 1:00:55
//! thirteen hours of chess in 3.2 ms
//! ```
//!
//! The loop is made with virtual time, which jumps to the next deadline when nothing is left to do but wait.
//! That makes the times exact; only the last one is measured.
//!
//! Read next: `src/timer/clock.rs`, real and virtual time, and `src/sync/semaphore.rs`, a fair line.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use oneloop::sync::Semaphore;
use oneloop::{EventLoop, gather, sleep, time};

const GAMES: usize = 24;
const MOVES: usize = 30;
const HER_MOVE: Duration = Duration::from_secs(5);
const REPLY: Duration = Duration::from_secs(55);

/// Plays one game, and returns when her last move and the last reply were made.
async fn game(master: Semaphore) -> (Instant, Instant) {
    let mut her_last = time();
    for _ in 0..MOVES {
        let at_this_board = master.acquire().await;
        sleep(HER_MOVE).await;
        drop(at_this_board);
        her_last = time();
        sleep(REPLY).await;
    }
    (her_last, time())
}

async fn one_after_the_other(master: Semaphore) {
    let start = time();
    for _ in 0..GAMES {
        game(master.clone()).await;
    }
    println!("one after the other: the last reply at {}", clock(time() - start));
}

async fn all_at_once(master: Semaphore) {
    let start = time();
    let games = gather((0..GAMES).map(|_| game(master.clone()))).await;
    let (her_last, reply) = games.into_iter().flatten().max().expect("there are games");
    println!(
        "all at once: her last move at {}, the last reply at {}",
        clock(her_last - start),
        clock(reply - start)
    );
}

/// As hours, minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn main() -> std::io::Result<()> {
    let real = Instant::now();
    let event_loop = EventLoop::builder().virtual_time().build()?;
    let master = Semaphore::new(1);
    event_loop.run_until_complete(one_after_the_other(master.clone()));
    event_loop.run_until_complete(all_at_once(master));
    println!("thirteen hours of chess in {:.1} ms", real.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}
