//! A client's process: connections that block, since what the client does is not measured.

use std::io::{self, BufRead, BufReader, Read, Write, stdin};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use crate::child;

/// A client's process, seen from the one that started it. Each line it is sent is an order, each one it sends an
/// answer. It ends, and its connections with it, when this is dropped.
pub struct Client {
    process: Child,
    answers: BufReader<ChildStdout>,
}

/// The orders; behind the second stands how many.
const CONNECT: &str = "connect";
const ECHO: &str = "echo ";

/// Connections that are under way at a time: fewer than a listener lets wait, since one too many would try again only
/// after a second.
const AT_A_TIME: u64 = 100;
const MESSAGE: [u8; 64] = [7; 64];

impl Client {
    pub fn start(address: &str, count: u64) -> Result<Client, String> {
        let mut command = Command::new(child::this_program()?);
        command.args(["connections", "--ask", address, &count.to_string()]);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the client of {address}: {error}"))?;
        let output = process.stdout.take().ok_or("the client's output is a pipe")?;
        let mut client = Client { process, answers: BufReader::new(output) };
        // It runs.
        client.answer()?;
        Ok(client)
    }

    /// Has it connect, and does not wait for that.
    pub fn connect(&mut self) -> Result<(), String> {
        self.order(CONNECT)
    }

    /// Waits until every connection has carried a message and its echo.
    pub fn connected(&mut self) -> Result<(), String> {
        self.answer().map(drop)
    }

    /// Microseconds of so many echoes, one after the other, each on a connection drawn by lot.
    pub fn echo(&mut self, count: u64) -> Result<Vec<f64>, String> {
        self.order(&format!("{ECHO}{count}"))?;
        let answer = self.answer()?;
        let nanos: Result<Vec<f64>, _> = answer.split_whitespace().map(str::parse).collect();
        let nanos = nanos.map_err(|_| format!("a client answered {answer:?}"))?;
        Ok(nanos.into_iter().map(|nanos| nanos / 1e3).collect())
    }

    fn order(&mut self, word: &str) -> Result<(), String> {
        let input = self.process.stdin.as_mut().ok_or("the client's input is a pipe")?;
        writeln!(input, "{word}").map_err(|error| format!("a client has gone: {error}"))
    }

    fn answer(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err("a client has ended".to_string()),
            Ok(_) => Ok(line),
            Err(error) => Err(format!("a client has gone: {error}")),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // How it ends no longer matters.
        let _ = self.process.wait();
    }
}

/// The client's work: follows orders until there are no more.
pub fn ask(words: &[String]) -> Result<(), String> {
    let [address, count] = words else {
        return Err("--ask takes an address and a number of connections".into());
    };
    let count = count.parse().map_err(|_| format!("{count} is no number of connections"))?;
    let server = address.parse().map_err(|_| format!("{address} is no address"))?;
    follow(server, count).map_err(|error| format!("a client of {address}: {error}"))
}

fn follow(server: SocketAddr, count: u64) -> io::Result<()> {
    let mut streams = Vec::new();
    println!("ready");
    for order in stdin().lines() {
        match order?.as_str() {
            CONNECT => {
                while (streams.len() as u64) < count {
                    let more = AT_A_TIME.min(count - streams.len() as u64);
                    streams.append(&mut connect(server, more)?);
                }
                println!("connected");
            }
            order => {
                let count = order.strip_prefix(ECHO).and_then(|count| count.parse().ok());
                let count =
                    count.ok_or_else(|| io::Error::other(format!("the order {order:?} is not known")))?;
                let nanos: Vec<String> = time(&mut streams, count)?.iter().map(u128::to_string).collect();
                println!("{}", nanos.join(" "));
            }
        }
    }
    Ok(())
}

/// Some connections, each of which has carried a message and its echo.
fn connect(server: SocketAddr, count: u64) -> io::Result<Vec<TcpStream>> {
    let mut streams = (0..count).map(|_| TcpStream::connect(server)).collect::<io::Result<Vec<_>>>()?;
    for stream in &mut streams {
        stream.set_nodelay(true)?;
        stream.write_all(&MESSAGE)?;
    }
    for stream in &mut streams {
        stream.read_exact(&mut [0; MESSAGE.len()])?;
    }
    Ok(streams)
}

/// Nanoseconds of one echo after the other, each on a connection drawn by lot.
fn time(streams: &mut [TcpStream], count: usize) -> io::Result<Vec<u128>> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let stream = &mut streams[random.usize(0..streams.len())];
        let begun = Instant::now();
        stream.write_all(&MESSAGE)?;
        stream.read_exact(&mut [0; MESSAGE.len()])?;
        times.push(begun.elapsed().as_nanos());
    }
    Ok(times)
}
