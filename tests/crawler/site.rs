//! A photo site that follows a script: plain threads and sockets, so that it can do what no proper server
//! does, and shares no code with what is tested.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the site does when asked for a path.
#[derive(Clone)]
pub enum Answer {
    /// 200 with this body.
    Body(Vec<u8>),
    /// Another status, with a short body.
    Status(u16),
    /// 200 with the length of the whole body, half of it, and the end of the connection.
    Cut(Vec<u8>),
    /// 200, promising so many bytes; the end of the connection after the first few.
    Promise(u64),
    /// Takes the request and never answers it.
    Silence,
    /// Sends the browser elsewhere.
    Redirect(String),
}

/// A running site; it ends with the test's process.
pub struct Site {
    pub address: SocketAddr,
    script: Arc<Mutex<HashMap<String, Answer>>>,
    /// Paths asked for since they were last looked at.
    asked: Receiver<String>,
}

impl Site {
    pub fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::<Mutex<HashMap<String, Answer>>>::default();
        let (tell, asked) = channel();
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, tell) = (Arc::clone(&shared), tell.clone());
                thread::spawn(move || converse(stream, &script, &tell));
            }
        });
        Site { address, script, asked }
    }

    /// Changes what the site does when asked for `path`; anything not set is a 404.
    pub fn set(&self, path: &str, answer: Answer) {
        self.script.lock().unwrap().insert(path.into(), answer);
    }

    /// Sets a listing page that shows pictures in both ways.
    pub fn set_page(&self, path: &str, pictures: &[&str]) {
        let mut html = String::from("<!DOCTYPE html><title>Photos</title>");
        for (index, picture) in pictures.iter().enumerate() {
            html += &match index % 2 {
                0 => format!("<div style=\"background-image: url(//{}{picture})\"></div>", self.address),
                _ => format!("<img src=\"{picture}\">"),
            };
        }
        self.set(path, Answer::Body(html.into_bytes()));
    }

    /// The paths asked for since the last call, sorted.
    pub fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> = self.asked.try_iter().collect();
        asked.sort();
        asked
    }

    /// Returns when somebody asks for `path`.
    pub fn wait_for(&self, path: &str) {
        let patience = Duration::from_secs(60);
        while self.asked.recv_timeout(patience).expect("the crawler asks for the path") != path {}
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn converse(mut stream: TcpStream, script: &Mutex<HashMap<String, Answer>>, tell: &Sender<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut lines = reader.by_ref().lines().map_while(Result::ok);
        let Some(first) = lines.next() else { return };
        let path = first.split(' ').nth(1).unwrap().to_owned();
        lines.find(String::is_empty);
        let answer = script.lock().unwrap().get(&path).cloned().unwrap_or(Answer::Status(404));
        // Nobody listens any more when the test is over.
        let _ = tell.send(path);
        if !reply(&mut stream, answer) {
            return;
        }
    }
}

/// Does what the script says; returns whether the connection goes on.
fn reply(stream: &mut TcpStream, answer: Answer) -> bool {
    let head = |length: u64| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    let (bytes, goes_on) = match answer {
        Answer::Body(body) => ([head(body.len() as u64), body].concat(), true),
        Answer::Status(status) => {
            (format!("HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno").into_bytes(), true)
        }
        Answer::Cut(body) => ([&head(body.len() as u64), &body[..body.len() / 2]].concat(), false),
        Answer::Promise(length) => ([head(length), vec![0xFF, 0xD8, 0xFF]].concat(), false),
        Answer::Redirect(to) => {
            (format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes(), true)
        }
        Answer::Silence => {
            // Says nothing until the other side hangs up.
            let _ = stream.read(&mut [0]);
            (Vec::new(), false)
        }
    };
    stream.write_all(&bytes).is_ok() && goes_on
}
