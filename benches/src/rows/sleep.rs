//! Rows `sleep_1ms`, `sleep_100us`, and the same with `_p99`: how much later than asked a lone sleep ends, one after
//! the other. The median says what is usual, the 99th percentile what must be reckoned with. No sleep may end early.
//!
//! epoll counts in whole milliseconds; who leaves it at that is a millisecond late. libuv's timers count in them too,
//! and so uvloop's sleep at times ends early: it takes no part.

use std::future::Future;
use std::time::{Duration, Instant};

use async_io::Timer;

use crate::python;
use crate::row::{Measure, Peer, Row, Target, Unit};
use crate::start;

pub const MILLISECOND: Row = Row {
    name: "sleep_1ms",
    operation: "one sleep of 1 ms in sequence: the median of elapsed minus asked",
    ..row::<1_000, 50>()
};

pub const MILLISECOND_P99: Row =
    Row { name: "sleep_1ms_p99", operation: "the same: the 99th percentile", ..row::<1_000, 99>() };

pub const TENTH: Row = Row {
    name: "sleep_100us",
    operation: "one sleep of 100 µs in sequence: the median of elapsed minus asked",
    ..row::<100, 50>()
};

pub const TENTH_P99: Row =
    Row { name: "sleep_100us_p99", operation: "the same: the 99th percentile", ..row::<100, 99>() };

/// What all four have in common, for so many microseconds and this percentile.
const fn row<const MICROS: u64, const PERCENTILE: usize>() -> Row {
    Row {
        name: "",
        operation: "",
        unit: Unit::MicrosLate,
        ops: 1_000,
        quick_ops: 500,
        target: Target::AtMost(if PERCENTILE == 50 { 30.0 } else { 60.0 }),
        peers: Peers::<MICROS, PERCENTILE>::ALL,
    }
}

struct Peers<const MICROS: u64, const PERCENTILE: usize>;

impl<const MICROS: u64, const PERCENTILE: usize> Peers<MICROS, PERCENTILE> {
    /// One of each runtime: tokio's three variants have one and the same timer.
    const ALL: &'static [(Peer, Measure)] = &[
        (Peer::Oneloop, |ops| start::on_oneloop(Self::body(ops, oneloop::sleep))),
        (Peer::Tokio, |ops| start::on_tokio(Self::body(ops, tokio::time::sleep))),
        (Peer::Smol, |ops| start::on_smol(|_| Self::body(ops, Timer::after))),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| start::on_compio(Self::body(ops, compio::time::sleep))),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| start::on_monoio(Self::body(ops, monoio::time::sleep))),
        // Under the name that the script gives the row.
        (Peer::Asyncio, |ops| python::all(&format!("sleep {MICROS} {PERCENTILE}"), "asyncio", ops)),
    ];

    async fn body<S: Future>(ops: u64, sleep: fn(Duration) -> S) -> f64 {
        let asked = Duration::from_micros(MICROS);
        let mut late = Vec::new();
        for _ in 0..ops {
            let began = Instant::now();
            sleep(asked).await;
            let over = began.elapsed().checked_sub(asked).expect("no sleep ends early");
            late.push(over.as_secs_f64() * 1e6);
        }
        late.sort_by(f64::total_cmp);
        late[late.len() * PERCENTILE / 100]
    }
}
