//! Row `sleep`: how much later than asked a lone sleep of a millisecond ends.
//!
//! epoll counts in whole milliseconds; who leaves it at that is a millisecond late.

use std::future::Future;
use std::time::{Duration, Instant};

use async_io::Timer;

use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ROW: Row = Row {
    name: "sleep",
    operation: "one sleep of 1 ms in sequence: the median of elapsed minus asked",
    unit: Unit::MicrosLate,
    ops: 1_000,
    quick_ops: 200,
    target: Target::None,
    peers: &[
        (Peer::Oneloop, |ops| start::on_oneloop(body(ops, oneloop::sleep))),
        (Peer::Tokio, |ops| start::on_tokio(body(ops, tokio::time::sleep))),
        (Peer::TokioSet, |ops| start::on_tokio_set(body(ops, tokio::time::sleep))),
        (Peer::TokioLocal, |ops| start::on_tokio_local(body(ops, tokio::time::sleep))),
        (Peer::Smol, |ops| start::on_smol(|_| body(ops, Timer::after))),
    ],
};

const ASKED: Duration = Duration::from_millis(1);

async fn body<S: Future>(ops: u64, sleep: impl Fn(Duration) -> S) -> f64 {
    let mut late = Vec::new();
    for _ in 0..ops {
        let began = Instant::now();
        sleep(ASKED).await;
        late.push(began.elapsed().as_secs_f64() * 1e6 - ASKED.as_secs_f64() * 1e6);
    }
    late.sort_by(f64::total_cmp);
    late[late.len() / 2]
}
