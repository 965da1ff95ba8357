//! Servers that do exactly what a test says, each on a thread of its own, on 127.0.0.1.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Nothing here takes this long, unless it is broken.
pub const NEVER: Duration = Duration::from_secs(20);

/// A scripted server.
pub struct Script {
    pub address: SocketAddr,
    /// What it read: one text per request, or whatever the script sends.
    pub seen: Receiver<String>,
}

impl Script {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request it read.
    pub fn request(&self) -> String {
        self.seen.recv_timeout(NEVER).expect("the server read a request")
    }

    /// All that it has read and has not been asked for.
    pub fn requests(&self) -> Vec<String> {
        self.seen.try_iter().collect()
    }
}

/// A connection of a scripted server.
pub struct Peer {
    pub stream: TcpStream,
    /// Where it notes what it read.
    pub seen: std::sync::mpsc::Sender<String>,
    /// What came behind the last request.
    rest: Vec<u8>,
}

impl Peer {
    /// Reads a request, head and body by Content-Length, and notes it. `None` if the client closed.
    pub fn read(&mut self) -> Option<String> {
        loop {
            if let Some(length) = whole(&self.rest) {
                let text = String::from_utf8_lossy(&self.rest[..length]).into_owned();
                self.rest.drain(..length);
                let _ = self.seen.send(text.clone());
                return Some(text);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(n) => self.rest.extend_from_slice(&buffer[..n]),
            }
        }
    }

    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Reads a request and answers it.
    pub fn answer(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.read().is_some() && self.write(bytes)
    }
}

/// The length of the request at the front, if it is whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length =
        text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    (bytes.len() >= head + length).then_some(head + length)
}

/// Runs `script` once per connection, one connection after the other, with the connection's number.
pub fn script(mut script: impl FnMut(usize, Peer) + Send + 'static) -> Script {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (seen, receiver) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            let _ = stream.set_read_timeout(Some(NEVER));
            let _ = stream.set_nodelay(true);
            script(number, Peer { stream, seen: seen.clone(), rest: Vec::new() });
        }
    });
    Script { address, seen: receiver }
}

/// Answers every request with the same bytes, on as many connections as come, one at a time.
pub fn always(answer: impl Into<Vec<u8>>) -> Script {
    let answer = answer.into();
    script(move |_, mut peer| while peer.answer(&answer) {})
}

/// A 200 with this body.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
