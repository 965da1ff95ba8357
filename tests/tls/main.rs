//! TLS as a byte pipe: good connections, bad certificates, the ways to end, and (in `malice`) peers that mean harm.
#![cfg(feature = "http")]

mod authority;
mod certificates;
mod fuzz;
mod malice;
mod peer;

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;

use authority::{Authority, VALID};
use futures_lite::future::{poll_fn, poll_once, zip};
use futures_lite::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use oneloop::net::TcpStream;
use oneloop::net::tls::{self, TlsStream};
use peer::{finish, serve, serve_raw};
use rustls::{ClientConfig, ServerConnection};

/// Connects and shakes hands.
async fn open(address: SocketAddr, host: &str, config: Arc<ClientConfig>) -> io::Result<TlsStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    tls::connect(stream, host, config).await
}

/// A server's whole talk: sends back all that comes until the client says that it is done, then says so too.
fn echo(tls: &mut ServerConnection, socket: &mut std::net::TcpStream) -> io::Result<()> {
    let mut buf = vec![0; 30_000];
    let mut stream = rustls::Stream::new(tls, socket);
    loop {
        match stream.read(&mut buf)? {
            0 => break,
            count => stream.write_all(&buf[..count])?,
        }
    }
    hang_up(tls, socket)
}

/// Says goodbye as one should.
fn hang_up(tls: &mut ServerConnection, socket: &mut std::net::TcpStream) -> io::Result<()> {
    tls.send_close_notify();
    tls.complete_io(socket)?;
    finish(socket)
}

/// Closes, and waits until the server has, too: a client that leaves earlier makes its last writes fail.
async fn leave(mut stream: TlsStream) {
    stream.close().await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

/// Writes `piece` over and over until the way out is full and bytes wait inside; returns how many bytes that took.
async fn fill(stream: &mut TlsStream, piece: &[u8]) -> usize {
    let mut taken = 0;
    loop {
        // What the two sockets hold is the system's choice (some megabytes); a buffer without a bound has no end.
        assert!(taken < 100_000_000, "nothing holds the writer back");
        if let Some(count) = poll_once(stream.write(piece)).await {
            taken += count.unwrap();
            continue;
        }
        // Full, or only this turn's share of I/O used up? The next turn tells.
        oneloop::yield_now().await;
        match poll_once(stream.write(piece)).await {
            Some(count) => taken += count.unwrap(),
            None => return taken,
        }
    }
}

/// Bytes in which every mistake of order or place shows.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn a_good_certificate_opens_a_stream_that_echoes() {
    let authority = Authority::new();
    for version in rustls::ALL_VERSIONS {
        let config = authority.server_with(&["photos.test"], VALID, &[version]);
        let (address, server) = serve(config, echo);
        oneloop::run(async {
            let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            stream.flush().await.unwrap();
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"hello", "{version:?}");
            stream.close().await.unwrap();
            assert_eq!(stream.read(&mut answer).await.unwrap(), 0, "the server says goodbye, too");
        });
        server.join().unwrap().unwrap();
    }
}

#[test]
fn an_address_may_stand_where_a_name_does() {
    let authority = Authority::new();
    for host in ["127.0.0.1", "::1", "[::1]"] {
        let config = authority.server(&["127.0.0.1", "::1"]);
        let (address, server) = serve(config, echo);
        oneloop::run(async {
            leave(open(address, host, authority.client()).await.unwrap()).await;
        });
        server.join().unwrap().unwrap();
    }
}

#[test]
fn a_host_that_is_no_name_is_refused_before_a_byte_is_sent() {
    let (address, server) = serve_raw(|mut socket| {
        let mut received = Vec::new();
        socket.read_to_end(&mut received)?;
        assert!(received.is_empty());
        Ok(())
    });
    let error = oneloop::run(open(address, "two words", Authority::new().client())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("\"two words\""), "{error}");
    server.join().unwrap().unwrap();
}

#[test]
fn a_task_that_waits_for_a_silent_server_says_where() {
    let authority = Authority::new();
    let (address, server) = serve_raw(|mut socket| io::copy(&mut socket, &mut io::sink()).map(drop));
    oneloop::run(async {
        let stream = TcpStream::connect(address).await.unwrap();
        let task = oneloop::spawn(tls::connect(stream, "photos.test", authority.client()));
        oneloop::yield_now().await;
        let shown = format!("{task:?}");
        assert!(shown.contains("a TLS handshake"), "{shown}");
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    server.join().unwrap().unwrap();
}

#[test]
fn a_task_that_reads_says_where() {
    let authority = Authority::new();
    let (address, server) = serve(authority.server(&["photos.test"]), echo);
    oneloop::run(async {
        let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
        // The tickets that follow the handshake are there, or are not: reading them is not yet an answer.
        let task = oneloop::spawn(async move {
            let mut buf = [0; 5];
            stream.read(&mut buf).await
        });
        oneloop::yield_now().await;
        let shown = format!("{task:?}");
        assert!(
            shown.contains("suspended at tests/tls/main.rs") && shown.contains("bytes to read"),
            "{shown}"
        );
        task.cancel();
    });
    drop(server); // the client left without a word, which the server may call an error
}

#[test]
fn five_megabytes_go_both_ways_at_once_in_awkward_sizes() {
    let authority = Authority::new();
    let (address, server) = serve(authority.server(&["photos.test"]), echo);
    let sent = noise(5_000_000);
    let expected = sent.clone();
    oneloop::run(async move {
        let stream = open(address, "photos.test", authority.client()).await.unwrap();
        let (mut reader, mut writer) = split(stream);
        // Two tasks, so that each half has a waker of its own.
        let writing = oneloop::spawn(async move {
            let mut rest = &sent[..];
            for size in [1, 2, 3, 16_383, 16_384, 16_385, 65_535, 65_537, 100_003].into_iter().cycle() {
                let (piece, later) = rest.split_at(size.min(rest.len()));
                writer.write_all(piece).await.unwrap();
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            writer.close().await.unwrap();
        });
        let reading = oneloop::spawn(async move {
            let mut received = Vec::new();
            for size in [1, 7, 1_000, 16_385, 70_001].into_iter().cycle() {
                let mut buf = vec![0; size];
                match reader.read(&mut buf).await.unwrap() {
                    0 => break,
                    count => received.extend_from_slice(&buf[..count]),
                }
            }
            received
        });
        let (written, received) = zip(writing, reading).await;
        written.unwrap();
        assert!(received.unwrap() == expected, "what came back is not what was sent");
    });
    server.join().unwrap().unwrap();
}

#[test]
fn after_closing_our_side_we_still_read() {
    let authority = Authority::new();
    let (address, server) = serve(authority.server(&["photos.test"]), |tls, socket| {
        let mut asked = String::new();
        rustls::Stream::new(tls, socket).read_to_string(&mut asked)?;
        assert_eq!(asked, "all of it, please");
        rustls::Stream::new(tls, socket).write_all(&noise(200_000))?;
        hang_up(tls, socket)
    });
    oneloop::run(async {
        let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
        stream.write_all(b"all of it, please").await.unwrap();
        stream.close().await.unwrap();
        stream.close().await.unwrap(); // a second time does no harm
        let error = stream.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer == noise(200_000));
    });
    server.join().unwrap().unwrap();
}

#[test]
fn an_end_without_close_notify_is_an_error_after_the_last_byte() {
    let authority = Authority::new();
    let (address, server) = serve(authority.server(&["photos.test"]), |tls, socket| {
        rustls::Stream::new(tls, socket).write_all(b"half of the ans")?;
        finish(socket)
    });
    oneloop::run(async {
        let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"half of the ans");
        for _ in 0..3 {
            let error = stream.read(&mut answer).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            assert!(error.to_string().contains("photos.test"), "{error}");
        }
    });
    server.join().unwrap().unwrap();
}

#[test]
fn a_peer_that_does_not_read_suspends_the_writer_and_bounds_what_waits() {
    let authority = Authority::new();
    let (go_on, wait) = mpsc::channel::<()>();
    let (address, server) = serve(authority.server(&["photos.test"]), move |tls, socket| {
        tls.complete_io(socket)?;
        wait.recv().unwrap();
        io::copy(&mut rustls::Stream::new(tls, socket), &mut io::sink())?;
        hang_up(tls, socket)
    });
    oneloop::run(async {
        let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
        let piece = noise(10_000);
        fill(&mut stream, &piece).await;
        assert!(poll_once(stream.flush()).await.is_none(), "what waits is not flushed");
        go_on.send(()).unwrap();
        stream.flush().await.unwrap();
        stream.write_all(&piece).await.unwrap();
        leave(stream).await;
    });
    server.join().unwrap().unwrap();
}

#[test]
fn a_read_sends_what_a_write_left_behind() {
    let authority = Authority::new();
    let (address, server) = serve(authority.server(&["photos.test"]), echo);
    oneloop::run(async {
        let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
        // Fill the way out until bytes wait inside, then only read: all of it must come back.
        let mut taken = fill(&mut stream, &noise(50_000)).await;
        let mut buf = vec![0; 50_000];
        while taken > 0 {
            taken -= stream.read(&mut buf).await.unwrap();
        }
        leave(stream).await;
    });
    server.join().unwrap().unwrap();
}

#[test]
fn several_pieces_written_at_once_arrive_in_order() {
    let authority = Authority::new();
    let (address, server) = serve(authority.server(&["photos.test"]), echo);
    oneloop::run(async {
        let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
        let pieces = [b"GET / ".as_slice(), b"", b"HTTP/1.1", b"\r\n"].map(io::IoSlice::new);
        let taken = poll_fn(|cx| std::pin::Pin::new(&mut stream).poll_write_vectored(cx, &pieces)).await;
        assert_eq!(taken.unwrap(), 16);
        let mut answer = [0; 16];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"GET / HTTP/1.1\r\n");
        assert_eq!(stream.write(b"").await.unwrap(), 0);
        assert_eq!(stream.read(&mut []).await.unwrap(), 0);
    });
    drop(server); // the client left without a word, which the server may call an error
}

#[test]
fn the_second_connection_to_a_host_resumes_the_session_of_the_first() {
    let authority = Authority::new();
    let (server, client) = (authority.server(&["photos.test"]), authority.client());
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let (kind, heard) = mpsc::channel();
        let (address, thread) = serve(Arc::clone(&server), move |tls, socket| {
            echo(tls, socket)?;
            kind.send(tls.handshake_kind().unwrap()).unwrap();
            Ok(())
        });
        oneloop::run(async {
            // The ticket comes after the handshake, with what is read.
            leave(open(address, "photos.test", Arc::clone(&client)).await.unwrap()).await;
        });
        thread.join().unwrap().unwrap();
        kinds.push(heard.recv().unwrap());
    }
    assert_eq!(kinds, [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]);
}

#[test]
#[should_panic(expected = "do not await it a second time")]
fn a_connect_awaited_twice_says_what_to_do() {
    let (address, _server) = serve_raw(|_| Ok(()));
    oneloop::run(async {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut connect = tls::connect(stream, "", Authority::new().client());
        (&mut connect).await.unwrap_err();
        let _ = (&mut connect).await;
    });
}
