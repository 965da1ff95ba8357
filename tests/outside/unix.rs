//! Unix sockets.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::pin::pin;
use std::time::Duration;

use futures_lite::future::poll_once;
use oneloop::net::{UnixListener, UnixStream};
use oneloop::{race, spawn, time, yield_now};

use crate::support::virtual_loop;

async fn read_all(stream: &UnixStream) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return all,
            length => all.extend_from_slice(&buffer[..length]),
        }
    }
}

#[test]
fn a_connection_to_a_path_carries_bytes_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    virtual_loop().run_until_complete(async {
        let listener = UnixListener::bind(&path).unwrap();
        let client = UnixStream::connect(&path).await.unwrap();
        let (server, peer) = listener.accept().await.unwrap();
        assert!(peer.is_unnamed());
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*path));
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        client.write_all(b"ping").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 4);
        server.write_all(b"pong").await.unwrap();
        drop(server);
        assert_eq!(read_all(&client).await, b"pong");
    });
    assert!(path.exists(), "the file stays: whoever made it removes it");
}

#[test]
fn accept_waits_for_a_connection_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    virtual_loop().run_until_complete(async {
        let listener = UnixListener::bind(&path).unwrap();
        let accepts = spawn(async move { listener.accept().await.map(drop) });
        yield_now().await;
        let shown = format!("{accepts:?}");
        assert!(shown.contains("outside/unix.rs") && shown.contains("a connection to come in"), "{shown}");
        UnixStream::connect(&path).await.unwrap();
        accepts.await.unwrap().unwrap();
    });
}

#[test]
fn a_half_closed_connection_still_carries_the_other_way() {
    virtual_loop().run_until_complete(async {
        let (client, server) = UnixStream::pair().unwrap();
        client.write_all(b"question").await.unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&server).await, b"question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        assert_eq!(read_all(&client).await, b"answer");
    });
}

#[test]
fn writing_to_a_peer_that_is_gone_is_an_error() {
    virtual_loop().run_until_complete(async {
        let (client, server) = UnixStream::pair().unwrap();
        drop(server);
        assert_eq!(client.write_all(b"hello").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(client.read(&mut [0; 4]).await.unwrap(), 0);
    });
}

#[test]
fn a_big_transfer_in_both_directions_arrives_whole() {
    const BYTES: usize = 3 << 20;
    let bytes: Vec<u8> = (0..BYTES).map(|index| (index % 251) as u8).collect();
    virtual_loop().run_until_complete(async {
        let (one, other) = UnixStream::pair().unwrap();
        let echo = spawn(async move {
            let mut buffer = [0; 10_000];
            loop {
                match other.read(&mut buffer).await.unwrap() {
                    0 => return,
                    length => other.write_all(&buffer[..length]).await.unwrap(),
                }
            }
        });
        let one = std::rc::Rc::new(one);
        let writer = spawn({
            let (one, bytes) = (std::rc::Rc::clone(&one), bytes.clone());
            async move {
                one.write_all(&bytes).await.unwrap();
                one.shutdown(Shutdown::Write).unwrap();
            }
        });
        assert!(read_all(&one).await == bytes);
        writer.await.unwrap();
        echo.await.unwrap();
    });
}

#[test]
fn a_cancelled_read_loses_nothing() {
    virtual_loop().run_until_complete(async {
        let (client, server) = UnixStream::pair().unwrap();
        {
            let mut buffer = [0; 16];
            let mut read = pin!(server.read(&mut buffer));
            assert!(poll_once(&mut read).await.is_none());
            client.write_all(b"hello").await.unwrap();
        }
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 5);
    });
}

#[test]
fn other_libraries_use_it_through_the_traits() {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    virtual_loop().run_until_complete(async {
        let (mut client, mut server) = UnixStream::pair().unwrap();
        AsyncWriteExt::write_all(&mut client, b"a line").await.unwrap();
        client.close().await.unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "a line");
    });
}

#[test]
fn errors_name_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    virtual_loop().run_until_complete(async {
        let missing = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(missing.to_string().contains("socket"), "{missing}");
        drop(UnixListener::bind(&path).unwrap());
        let refused = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert!(refused.to_string().contains("cannot connect to"), "{refused}");
        let taken = UnixListener::bind(&path).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        assert!(taken.to_string().contains("socket"), "{taken}");
        let long = "x".repeat(200);
        for refused in [UnixListener::bind(&long).map(drop), UnixStream::connect(&long).await.map(drop)] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("xxx") && error.to_string().contains("shorter"), "{error}");
        }
    });
}

#[test]
fn a_path_need_not_be_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"so\xffcket"));
    virtual_loop().run_until_complete(async {
        let listener = UnixListener::bind(&path).unwrap();
        let _client = UnixStream::connect(&path).await.unwrap();
        listener.accept().await.unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_leaves_no_file() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    let name = format!("oneloop-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    virtual_loop().run_until_complete(async {
        let listener = UnixListener::bind_addr(&address).unwrap();
        let client = UnixStream::connect_addr(&address).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        drop(client);
        assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
        drop(listener);
        let error = UnixStream::connect_addr(&address).await.unwrap_err();
        assert!(error.to_string().contains(&name), "{error}");
    });
}

#[test]
fn connect_pauses_while_the_listener_has_no_place_in_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    rustix::net::listen(&listener, 0).unwrap(); // a line of one
    virtual_loop().run_until_complete(async {
        let start = time();
        let _first = UnixStream::connect(&path).await.unwrap();
        let second = spawn(async move { UnixStream::connect(&path).await.map(|_| time()) });
        yield_now().await;
        assert!(!second.is_finished());
        listener.accept().unwrap();
        assert_eq!(second.await.unwrap().unwrap() - start, Duration::from_millis(50));
    });
}

#[test]
fn a_connection_of_the_standard_library_can_be_taken_over() {
    virtual_loop().run_until_complete(async {
        let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
        let here = UnixStream::from_std(here).unwrap();
        race(here.read(&mut [0; 4]), yield_now()).await;
        std::io::Write::write_all(&mut &there, b"hi").unwrap();
        assert_eq!(here.read(&mut [0; 4]).await.unwrap(), 2);
    });
}
