//! The echo with mio alone, as whoever uses mio writes it. No tasks, no futures, no wakers; an edge says which of 128
//! sockets can be read, and a match says what to do.
//!
//! As in the runtimes, a socket is registered once, and a read that fills less than the buffer means that the
//! socket is drained: no second read is made to hear `WouldBlock`.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::streams::std_pair;
use super::{BUFFER, CONNECTIONS, MESSAGE};
use crate::measure::Stopwatch;

const EVENTS: usize = 1_024;

enum End {
    Server,
    /// Messages still to be sent, and bytes still to come of the echo of the last.
    Client {
        left: u64,
        awaited: usize,
    },
}

struct Connection {
    stream: TcpStream,
    end: End,
}

/// Nanoseconds for one request and its echo.
pub fn echo(ops: u64) -> io::Result<f64> {
    let mut poll = Poll::new()?;
    let mut connections = connect(&poll, ops / CONNECTIONS)?;
    let mut events = Events::with_capacity(EVENTS);
    let mut buffer = vec![0; BUFFER];
    let watch = Stopwatch::start();
    let mut open = 0;
    for connection in &mut connections {
        if let End::Client { .. } = connection.end {
            open += 1;
            connection.ask()?;
        }
    }
    while open > 0 {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.is_readable() && connections[event.token().0].readable(&mut buffer)? {
                open -= 1;
            }
        }
    }
    Ok(watch.nanos_each(ops))
}

impl Connection {
    /// Reads until the socket is drained. Returns whether the connection has just ended its work.
    fn readable(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        loop {
            let length = match self.stream.read(buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            if self.received(&buffer[..length])? {
                return Ok(true);
            }
            if length < buffer.len() {
                return Ok(false);
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) -> io::Result<bool> {
        match &mut self.end {
            End::Server => self.stream.write_all(bytes)?,
            End::Client { left, awaited } => {
                *awaited -= bytes.len();
                if *awaited == 0 {
                    if *left == 0 {
                        return Ok(true);
                    }
                    self.ask()?;
                }
            }
        }
        Ok(false)
    }

    fn ask(&mut self) -> io::Result<()> {
        if let End::Client { left, awaited } = &mut self.end {
            *left -= 1;
            *awaited = MESSAGE;
            self.stream.write_all(&[7; MESSAGE])?;
        }
        Ok(())
    }
}

/// The clients' and the servers' ends of all connections; each one's place is its token.
fn connect(poll: &Poll, messages: u64) -> io::Result<Vec<Connection>> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, server) = std_pair()?;
        let ends = [(client, End::Client { left: messages, awaited: 0 }), (server, End::Server)];
        for (stream, end) in ends {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let token = Token(connections.len());
            poll.registry().register(&mut stream, token, Interest::READABLE)?;
            connections.push(Connection { stream, end });
        }
    }
    Ok(connections)
}
