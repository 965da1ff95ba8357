//! A client without a runtime, which blocks: a request on each connection, then the answer of each, again and again. So
//! 64 requests are on their way at a time, and it makes two system calls for each.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use super::CONNECTIONS;

/// Makes so many requests of the server at a port, and returns how many that were.
pub fn ask(port: u16, path: &str, ops: u64) -> io::Result<u64> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        connections.push(stream);
    }
    let first = &mut connections[0];
    first.write_all(request.as_bytes())?;
    let mut answer = vec![0; first_answer(first)?];
    let rounds = ops / CONNECTIONS;
    for _ in 0..rounds {
        for connection in &mut connections {
            connection.write_all(request.as_bytes())?;
        }
        for connection in &mut connections {
            connection.read_exact(&mut answer)?;
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "the last answer is one like the first");
    Ok(rounds * CONNECTIONS)
}

/// The length of an answer, from its head. Every answer has as many bytes as the first.
fn first_answer(stream: &mut TcpStream) -> io::Result<usize> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let length = stream.read(&mut part)?;
        assert_ne!(length, 0, "the server answers before it closes");
        bytes.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_ascii_lowercase();
        let told = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let expected: usize = told.expect("the server says how long its answer is");
        if body.len() >= expected {
            return Ok(bytes.len());
        }
    }
}
