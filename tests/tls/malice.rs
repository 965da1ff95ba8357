//! Servers that mean harm, or are broken in the same way. Whatever bytes come, the client's handshake must end as
//! soon as the server's bytes do: with an error that names the host, no panic, and few polls (a future that wakes
//! itself without having read anything would be polled for ever).

use std::cell::Cell;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};

use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use rustls::ServerConfig;

use crate::authority::{Authority, VALID};
use crate::peer::{Bent, finish, serve, serve_raw};
use crate::{noise, open};

/// The alert that ends a connection politely, unencrypted.
const CLOSE_NOTIFY: [u8; 7] = [21, 3, 3, 0, 2, 1, 0];

/// More polls than an honest handshake ever takes, be it in one-byte pieces, and fewer than a spinning one.
const MANY: usize = 20_000;

/// Counts how often the future inside is polled.
struct Counted<F> {
    inner: F,
    polls: Rc<Cell<usize>>,
}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.set(self.polls.get() + 1);
        assert!(self.polls.get() < MANY, "the handshake spins");
        Pin::new(&mut self.inner).poll(cx)
    }
}

/// What became of a client: how many bytes it could read after the handshake, and how all ended.
#[derive(Debug)]
pub enum Outcome {
    Refused(io::Error),
    Opened(io::Result<usize>),
}

/// Connects, and reads to the end if the handshake succeeds.
pub fn meet(authority: &Authority, address: SocketAddr) -> Outcome {
    oneloop::run(async {
        let inner = pin!(async {
            match open(address, "photos.test", authority.client()).await {
                Err(error) => Outcome::Refused(error),
                Ok(mut stream) => Outcome::Opened(stream.read_to_end(&mut Vec::new()).await),
            }
        });
        Counted { inner, polls: Rc::default() }.await
    })
}

/// A server that shakes hands over a socket on which `bend` decides what is really sent (see [`Bent`]), and then
/// ends its sending side. Returns how many bytes it meant to send, in pieces of one record each.
fn bent_server(
    config: Arc<ServerConfig>,
    bend: impl FnMut(usize, &[u8], &mut TcpStream) -> io::Result<bool> + Send + 'static,
) -> (SocketAddr, std::thread::JoinHandle<io::Result<()>>) {
    serve(config, move |tls, socket| {
        let mut bent = Bent { socket, offset: 0, bend };
        let _ = tls.complete_io(&mut bent).and_then(|_| {
            tls.send_close_notify();
            tls.complete_io(&mut bent)
        });
        let _ = finish(socket); // the client may have gone with a reset
        Ok(())
    })
}

/// The lengths of the records that an honest server sends, from hello to goodbye.
pub fn records(authority: &Authority, config: &Arc<ServerConfig>) -> Vec<usize> {
    let (tell, lengths) = mpsc::channel();
    let (address, server) = bent_server(Arc::clone(config), move |_, piece, socket| {
        tell.send(piece.len()).unwrap();
        socket.write_all(piece)?;
        Ok(true)
    });
    let outcome = meet(authority, address);
    assert!(matches!(outcome, Outcome::Opened(Ok(0))), "{outcome:?}");
    server.join().unwrap().unwrap();
    lengths.iter().collect()
}

/// Runs `check` with one server configuration per protocol version.
pub fn each_version(check: impl Fn(&Authority, &Arc<ServerConfig>)) {
    let authority = Authority::new();
    for version in rustls::ALL_VERSIONS {
        check(&authority, &authority.server_with(&["photos.test"], VALID, &[version]));
    }
}

#[test]
fn a_server_that_stops_at_any_byte_ends_the_client_with_an_error() {
    each_version(|authority, config| {
        let total: usize = records(authority, config).iter().sum();
        let mut refused = 0;
        // The last bytes are the goodbye, and signatures differ in length by a byte or two.
        for cut in 0..total - 10 {
            let (address, server) = bent_server(Arc::clone(config), move |offset, piece, socket| {
                let count = piece.len().min(cut.saturating_sub(offset));
                socket.write_all(&piece[..count])?;
                Ok(count == piece.len())
            });
            match meet(authority, address) {
                Outcome::Refused(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}: {error}");
                    assert!(error.to_string().contains("photos.test"), "{error}");
                    refused += 1;
                }
                Outcome::Opened(read) => {
                    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
                }
            }
            server.join().unwrap().unwrap();
        }
        assert!(refused > 500, "only {refused} of the cuts fell into the handshake");
    });
}

#[test]
fn close_notify_at_any_byte_of_the_handshake_ends_it() {
    each_version(|authority, config| {
        let total: usize = records(authority, config).iter().sum();
        for at in 0..total - 10 {
            let (address, server) = bent_server(Arc::clone(config), move |offset, piece, socket| {
                let count = piece.len().min(at.saturating_sub(offset));
                socket.write_all(&piece[..count])?;
                if count < piece.len() {
                    socket.write_all(&CLOSE_NOTIFY)?;
                }
                Ok(count == piece.len())
            });
            let outcome = meet(authority, address);
            assert!(!matches!(outcome, Outcome::Opened(Ok(_))), "at {at}: {outcome:?}");
            server.join().unwrap().unwrap();
        }
    });
}

/// The case of RUSTSEC-2024-0336, where the server keeps the socket open: with nothing more to read and nothing to
/// write, the client either ends or suspends, and what it must not do is go on trying.
#[test]
fn close_notify_between_two_records_leaves_the_client_ended_or_suspended() {
    each_version(|authority, config| {
        for before in 0..records(authority, config).len() - 1 {
            let (alert_sent, sent) = mpsc::channel();
            let (end, ended) = mpsc::channel();
            let mut count = 0;
            let (address, server) = serve(Arc::clone(config), move |tls, socket| {
                let bend = |_, piece: &[u8], socket: &mut TcpStream| {
                    count += 1;
                    socket.write_all(if count > before { &CLOSE_NOTIFY } else { piece })?;
                    Ok(count <= before)
                };
                let _ = tls.complete_io(&mut Bent { socket, offset: 0, bend });
                alert_sent.send(()).unwrap();
                let _ = ended.recv();
                let _ = finish(socket);
                Ok(())
            });
            let polls = Rc::new(Cell::new(0));
            let counted = Rc::clone(&polls);
            let client = authority.client();
            oneloop::run(async move {
                let inner = Box::pin(async move {
                    let mut stream = open(address, "photos.test", client).await?;
                    stream.read(&mut [0]).await
                });
                let client = oneloop::spawn(Counted { inner, polls: counted });
                oneloop::spawn_blocking(move || sent.recv().unwrap()).await.unwrap();
                for _ in 0..100 {
                    oneloop::yield_now().await;
                }
                assert!(polls.get() < 20, "{} polls, with {before} records before", polls.get());
                end.send(()).unwrap();
                client.await.unwrap().unwrap_err();
            });
            server.join().unwrap().unwrap();
        }
    });
}

#[test]
fn one_byte_at_a_time_is_slow_but_right() {
    each_version(|authority, config| {
        let (address, server) = bent_server(Arc::clone(config), |_, piece, socket| {
            for byte in piece.chunks(1) {
                socket.write_all(byte)?;
            }
            Ok(true)
        });
        let outcome = meet(authority, address);
        assert!(matches!(outcome, Outcome::Opened(Ok(0))), "{outcome:?}");
        server.join().unwrap().unwrap();
    });
}

/// Sends `start`, then `more` over and over until the client hangs up or took `enough` bytes of it.
fn flood(start: Vec<u8>, more: Vec<u8>) -> (SocketAddr, std::thread::JoinHandle<io::Result<()>>) {
    serve_raw(move |mut socket| {
        socket.read_exact(&mut [0; 5])?;
        socket.write_all(&start)?;
        for _ in 0..ENOUGH / more.len() {
            if socket.write_all(&more).is_err() {
                return Ok(());
            }
        }
        Err(io::Error::other("the client took it all"))
    })
}

/// More than any client has to take before it knows that it is being fooled (sockets hold a few megabytes).
const ENOUGH: usize = 64 << 20;

#[test]
fn endless_handshakes_are_cut_off() {
    let authority = Authority::new();
    let record = |kind: u8, body: &[u8]| {
        let length = (body.len() as u16).to_be_bytes();
        [&[kind, 3, 3, length[0], length[1]], body].concat()
    };
    // A server hello that claims 16 MiB, and sends them.
    let claim = record(22, &[2, 0xFF, 0xFF, 0xFF]);
    let floods = [
        ("a giant message", claim, record(22, &[0; 16_000])),
        ("empty handshake records", Vec::new(), record(22, &[])),
        ("empty data records", Vec::new(), record(23, &[])),
        ("change cipher spec", Vec::new(), record(20, &[1])),
        ("warnings", Vec::new(), record(21, &[1, 90])),
        ("hello requests", Vec::new(), record(22, &[0, 0, 0, 0])),
        ("zeros", Vec::new(), vec![0; 1000]),
    ];
    for (name, start, more) in floods {
        let more = more.repeat(100);
        let (address, server) = flood(start, more);
        match meet(&authority, address) {
            Outcome::Refused(error) => assert!(error.to_string().contains("photos.test"), "{name}: {error}"),
            opened => panic!("{name}: {opened:?}"),
        }
        server.join().unwrap().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// A record that was changed on the way kills the connection; what came before it is still read.
#[test]
fn a_forged_record_after_good_ones_is_an_error_that_stays() {
    each_version(|authority, config| {
        let (address, server) = serve(Arc::clone(config), |tls, socket| {
            rustls::Stream::new(tls, socket).write_all(b"genuine")?;
            socket.write_all(&[23, 3, 3, 0, 40])?;
            socket.write_all(&noise(40))?;
            let _ = io::copy(socket, &mut io::sink()); // no end of stream: the client must not wait for one
            Ok(())
        });
        oneloop::run(async {
            let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
            let mut buf = [0; 7];
            stream.read_exact(&mut buf).await.unwrap();
            assert_eq!(&buf, b"genuine");
            for _ in 0..2 {
                let error = stream.read(&mut buf).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            }
            stream.write(b"anyone there?").await.unwrap_err();
            let _ = stream.close().await;
        });
        server.join().unwrap().unwrap();
    });
}

#[test]
fn a_hundred_key_updates_in_the_middle_of_data_change_nothing() {
    let authority = Authority::new();
    let config = authority.server_with(&["photos.test"], VALID, &[&rustls::version::TLS13]);
    let (address, server) = serve(config, |tls, socket| {
        for _ in 0..100 {
            tls.complete_io(socket)?;
            rustls::Stream::new(tls, socket).write_all(b"ten bytes.")?;
            tls.refresh_traffic_keys().map_err(io::Error::other)?;
        }
        tls.send_close_notify();
        tls.complete_io(socket)?;
        // Our own key updates were answered, in order, or this could not be decrypted.
        let mut asked = String::new();
        rustls::Stream::new(tls, socket).read_to_string(&mut asked)?;
        assert_eq!(asked, "thanks");
        finish(socket)
    });
    oneloop::run(async {
        let mut stream = open(address, "photos.test", authority.client()).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"ten bytes.".repeat(100));
        stream.write_all(b"thanks").await.unwrap();
        stream.close().await.unwrap();
    });
    server.join().unwrap().unwrap();
}
