//! Rows `sleep_1ms`, `sleep_100us`, and the same with `_p99`: how much later than asked a lone sleep ends, one after
//! the other. The median says what is usual, the 99th percentile what must be reckoned with. No sleep may end early.
//!
//! epoll counts in whole milliseconds; who leaves it at that is a millisecond late.

use std::future::Future;
use std::time::{Duration, Instant};

use async_io::Timer;

use crate::row::{Measure, Peer, Row, Target, Unit};
use crate::start;

/// One runtime each: tokio's three variants have one and the same timer.
macro_rules! peers {
    ($micros:literal, $percentile:literal) => {{
        const ASKED: Duration = Duration::from_micros($micros);
        const PEERS: [(Peer, Measure); 3] = [
            (Peer::Oneloop, |ops| start::on_oneloop(body(ops, oneloop::sleep, ASKED, $percentile))),
            (Peer::Tokio, |ops| start::on_tokio(body(ops, tokio::time::sleep, ASKED, $percentile))),
            (Peer::Smol, |ops| start::on_smol(|_| body(ops, Timer::after, ASKED, $percentile))),
        ];
        PEERS
    }};
}

pub const MILLISECOND: Row = Row {
    name: "sleep_1ms",
    operation: "one sleep of 1 ms in sequence: the median of elapsed minus asked",
    target: Target::AtMost(30.0),
    peers: &peers!(1_000, 50),
    ..ANY
};

pub const MILLISECOND_P99: Row = Row {
    name: "sleep_1ms_p99",
    operation: "the same: the 99th percentile",
    target: Target::AtMost(60.0),
    peers: &peers!(1_000, 99),
    ..ANY
};

pub const TENTH: Row = Row {
    name: "sleep_100us",
    operation: "one sleep of 100 µs in sequence: the median of elapsed minus asked",
    target: Target::AtMost(30.0),
    peers: &peers!(100, 50),
    ..ANY
};

pub const TENTH_P99: Row = Row {
    name: "sleep_100us_p99",
    operation: "the same: the 99th percentile",
    target: Target::AtMost(60.0),
    peers: &peers!(100, 99),
    ..ANY
};

/// What all four have in common.
const ANY: Row = Row {
    name: "",
    operation: "",
    unit: Unit::MicrosLate,
    ops: 1_000,
    quick_ops: 500,
    target: Target::None,
    peers: &[],
};

async fn body<S: Future>(ops: u64, sleep: impl Fn(Duration) -> S, asked: Duration, percentile: usize) -> f64 {
    let mut late = Vec::new();
    for _ in 0..ops {
        let began = Instant::now();
        sleep(asked).await;
        let over = began.elapsed().checked_sub(asked).expect("no sleep ends early");
        late.push(over.as_secs_f64() * 1e6);
    }
    late.sort_by(f64::total_cmp);
    late[late.len() * percentile / 100]
}
