//! Rows `http_client` and `http_server`: requests over 64 connections that are kept alive.
//!
//! Client and server run on threads of their own, and what is counted is the CPU time of the one that is measured: how
//! many requests a second there are says more of the slower of the two. Every client asks the same server, and every
//! server is asked by the same client (`bare.rs`), which is also the limit for the clients: it knows how long an answer
//! is, and looks at none but the last.
//!
//! tokio has no HTTP of its own: in these rows `tokio` is reqwest and `tokio-local` is hyper where a client is measured,
//! and `tokio` is hyper where a server is. `asyncio` and `uvloop` are aiohttp.

mod bare;
mod clients;
mod servers;

use std::sync::mpsc::{self, Sender};
use std::{fs, process, thread};

use crate::row::{Row, Target, Unit};

pub const CLIENT: Row = Row {
    name: "http_client",
    operation: "one GET of 1 KiB over one of 64 kept connections: the client's thread",
    unit: Unit::CpuNanos,
    ops: 256_000,
    quick_ops: 128_000,
    target: Target::None,
    peers: clients::PEERS,
};

pub const SERVER: Row = Row {
    name: "http_server",
    operation: "one answer of 14 bytes over one of 64 kept connections: the server's thread",
    unit: Unit::CpuNanos,
    ops: 256_000,
    quick_ops: 128_000,
    target: Target::None,
    peers: servers::PEERS,
};

const CONNECTIONS: u64 = 64;

/// What a client asks for and the bytes of the answer.
const PAGE: &str = "/page";
const PAGE_BYTES: usize = 1_024;

/// What a server is asked for, and answers.
const GREETED: &str = "/World";
const GREETING: &str = "Hello, World!\n";

/// Where a server listens, and which thread it is.
struct Serving {
    port: u16,
    process: u32,
    thread: u32,
}

/// Starts a server on a thread of its own, which it keeps until the process ends. It is given what it is to call with
/// its port once it listens.
fn serve(server: impl FnOnce(Ready) + Send + 'static) -> Serving {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || server(Ready(tell)));
    told.recv().expect("the server listens")
}

struct Ready(Sender<Serving>);

impl Ready {
    /// To be called on the server's thread.
    fn listens(self, port: u16) {
        let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        // Nobody asks twice.
        let _ = self.0.send(Serving { port, process: process::id(), thread });
    }
}

impl Serving {
    /// Nanoseconds of CPU time that its thread has taken so far, asked from another thread.
    fn cpu_nanos(&self) -> u64 {
        let file = format!("/proc/{}/task/{}/schedstat", self.process, self.thread);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        text.split(' ').next().and_then(|field| field.parse().ok()).expect("its first field is a number")
    }
}
