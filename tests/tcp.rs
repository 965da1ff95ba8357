//! TCP on the loopback: partial, refused, reset, half closed, shared, given up.

mod support;

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_io::AsyncRead;
use futures_lite::future::poll_once;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use oneloop::net::{TcpListener, TcpStream};
use oneloop::{race, sleep, spawn, time, yield_now};
use signal_hook::consts::SIGPIPE;
use support::{Log, virtual_loop};

/// Both ends of a new connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = spawn(TcpStream::connect(listener.local_addr().unwrap()));
    let (server, peer) = listener.accept().await.unwrap();
    let client = client.await.unwrap().unwrap();
    assert_eq!(client.local_addr().unwrap(), peer);
    assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    (client, server)
}

#[test]
fn more_than_the_system_holds_is_written_and_read_in_parts() {
    const LENGTH: usize = 8 << 20;
    virtual_loop().run_until_complete(async {
        let (client, server) = pair().await;
        let bytes: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
        let first = client.write(&bytes).await.unwrap();
        assert!(0 < first && first < LENGTH, "the buffers of the system hold less than 8 MiB: {first}");
        let expected = bytes.clone();
        let writer = spawn(async move {
            client.write_all(&bytes[first..]).await.unwrap();
        });
        let (mut read, mut buffer) = (0, vec![0; 10_007]);
        loop {
            let length = server.read(&mut buffer).await.unwrap();
            if length == 0 {
                break;
            }
            assert!(buffer[..length] == expected[read..read + length], "at {read}");
            read += length;
        }
        assert_eq!(read, LENGTH);
        writer.await.unwrap();
    });
}

#[test]
fn a_refused_connection_names_the_address() {
    virtual_loop().run_until_complete(async {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(error.to_string().starts_with(&format!("cannot connect to {address}: ")), "{error}");
    });
}

#[test]
fn an_address_in_use_is_named() {
    virtual_loop().run_until_complete(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let error = TcpListener::bind(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("cannot listen on {address}: ")), "{error}");
    });
}

#[test]
fn a_peer_that_leaves_bytes_unread_resets_the_connection() {
    virtual_loop().run_until_complete(async {
        let (client, server) = pair().await;
        client.write_all(b"never read").await.unwrap();
        drop(server);
        let error = client.read(&mut [0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_closed_side_reads_as_the_end_again_and_again_and_the_other_side_goes_on() {
    virtual_loop().run_until_complete(async {
        let (client, server) = pair().await;
        let mut buffer = [0; 16];
        // The reader waits while the bytes and the end arrive together.
        let answer = spawn(async move {
            let length = server.read(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], b"question");
            for _ in 0..3 {
                assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
            }
            server.write_all(b"answer").await.unwrap();
        });
        yield_now().await;
        client.write_all(b"question").await.unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        answer.await.unwrap();
        let length = client.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], b"answer");
        assert_eq!(client.read(&mut buffer).await.unwrap(), 0, "dropped by now");
    });
}

#[test]
fn nothing_is_read_into_an_empty_buffer_at_once() {
    virtual_loop().run_until_complete(async {
        let (client, _server) = pair().await;
        // Learn first that nothing is there.
        race(client.read(&mut [0; 16]), yield_now()).await;
        assert_eq!(client.read(&mut []).await.unwrap(), 0);
        assert_eq!(client.write(&[]).await.unwrap(), 0);
        client.write_all(&[]).await.unwrap();
    });
}

#[test]
fn a_socket_that_always_has_more_gives_way_after_128_operations() {
    const BYTES: usize = 128 * 100;
    virtual_loop().run_until_complete(async {
        let (client, server) = pair().await;
        client.write_all(&[7; BYTES]).await.unwrap();
        let reader = spawn(async move {
            for _ in 0..BYTES {
                assert_eq!(server.read(&mut [0]).await.unwrap(), 1);
            }
        });
        let mut turns = 0;
        while !reader.is_finished() {
            turns += 1;
            yield_now().await;
        }
        assert!(turns >= BYTES / 128, "{turns} turns");
    });
}

#[test]
fn two_tasks_may_share_a_listener() {
    const CLIENTS: usize = 20;
    virtual_loop().run_until_complete(async {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let accepted = Rc::new(Cell::new(0));
        let servers = [1, 2].map(|number| {
            let (listener, accepted) = (Rc::clone(&listener), Rc::clone(&accepted));
            spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    stream.write_all(&[number]).await.unwrap();
                    accepted.set(accepted.get() + 1);
                }
            })
        });
        for round in 1..=CLIENTS {
            let client = TcpStream::connect(address).await.unwrap();
            assert_eq!(client.read(&mut [0; 2]).await.unwrap(), 1);
            assert_eq!(accepted.get(), round);
            // One of the two gives up; the other one serves the rest.
            if round == CLIENTS / 2 {
                servers[0].cancel();
            }
        }
        let [first, second] = servers;
        assert!(first.await.unwrap_err().is_cancelled());
        second.cancel();
        assert!(second.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_wait_that_was_given_up_leaves_nothing_behind() {
    virtual_loop().run_until_complete(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (client, server) = pair().await;
        race(listener.accept(), yield_now()).await;
        race(client.read(&mut [0; 16]), yield_now()).await;
        let full = vec![0; 8 << 20];
        client.write(&full).await.unwrap();
        race(client.write_all(&full), yield_now()).await;
        race(oneloop::signal::ctrl_c(), yield_now()).await;
        // If the loop thought that a task still waits for a socket, this would take an hour.
        let start = time();
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(time() - start, Duration::from_secs(3600));
        drop(server);
    });
}

#[test]
fn of_two_reads_in_one_task_the_one_that_stays_is_woken() {
    virtual_loop().run_until_complete(async {
        let (client, server) = pair().await;
        let (mut first, mut second) = ([0; 16], [0; 16]);
        let mut stays = pin!(server.read(&mut first));
        {
            let mut goes = pin!(server.read(&mut second));
            poll_fn(|cx| {
                assert!(stays.as_mut().poll(cx).is_pending() && goes.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        client.write_all(b"hello").await.unwrap();
        assert_eq!(stays.await.unwrap(), 5);
    });
}

#[test]
fn a_half_done_read_moved_to_another_task_wakes_that_one() {
    virtual_loop().run_until_complete(async {
        let (client, server) = pair().await;
        let mut read = Box::pin(async move {
            let mut buffer = [0; 16];
            server.read(&mut buffer).await.unwrap()
        });
        race(poll_fn(|cx| read.as_mut().poll(cx)), yield_now()).await;
        let task = spawn(read);
        yield_now().await;
        client.write_all(b"hello").await.unwrap();
        assert_eq!(task.await.unwrap(), 5);
    });
}

#[test]
fn a_stream_dropped_while_a_task_waits_for_it_wakes_the_task() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let (_client, server) = pair().await;
        let server = Rc::new(server);
        let weak = Rc::downgrade(&server);
        let noted = log.clone();
        let waits = spawn(poll_fn(move |cx| {
            let Some(server) = weak.upgrade() else {
                noted.note("found it gone");
                return Poll::Ready(());
            };
            noted.note("waits");
            Pin::new(&mut &*server).poll_read(cx, &mut [0; 16]).map(drop)
        }));
        yield_now().await;
        drop(server);
        waits.await.unwrap();
    });
    assert_eq!(log.lines(), ["waits", "found it gone"]);
}

#[test]
fn a_socket_of_another_loop_is_refused_where_it_would_wait() {
    let first = virtual_loop();
    let (client, _server) = first.run_until_complete(pair());
    let second = virtual_loop();
    let result = catch_unwind(AssertUnwindSafe(|| second.run_until_complete(client.read(&mut [0; 16]))));
    let payload = result.unwrap_err();
    let text = payload.downcast_ref::<&str>().expect("a sentence");
    assert!(text.contains("belongs to an event loop that is not running on this thread: make it"), "{text}");
}

#[test]
fn other_libraries_read_and_write_through_the_traits() {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    virtual_loop().run_until_complete(async {
        let (mut client, mut server) = pair().await;
        client.write_all(b"one line\n").await.unwrap();
        AsyncWriteExt::close(&mut client).await.unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "one line\n");
        AsyncWriteExt::write_all(&mut &server, b"answer").await.unwrap();
        drop(server);
        let mut bytes = Vec::new();
        (&client).read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"answer");
    });
}

#[test]
fn more_slices_than_the_system_takes_at_once_are_moved_in_parts_without_a_wait() {
    const COUNT: usize = 3_000;
    oneloop::run(async {
        let (mut client, mut server) = pair().await;
        let bytes: Vec<u8> = (0..COUNT).map(|n| n as u8).collect();
        let mut slices: Vec<_> = bytes.chunks(1).map(IoSlice::new).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            let written = poll_once(client.write_vectored(left)).await;
            IoSlice::advance_slices(&mut left, written.expect("there is room").unwrap());
        }
        let mut received = vec![0; COUNT];
        let mut read = 0;
        while read < COUNT {
            let mut buffers: Vec<_> = received[read..].chunks_mut(1).map(IoSliceMut::new).collect();
            read += match read {
                0 => server.read_vectored(&mut buffers).await.unwrap(),
                _ => poll_once(server.read_vectored(&mut buffers)).await.expect("the rest is there").unwrap(),
            };
        }
        assert_eq!(received, bytes);
    });
}

#[test]
fn to_write_what_nobody_can_read_is_an_error_and_no_signal() {
    let signal = Arc::new(AtomicBool::new(false));
    let id = signal_hook::flag::register(SIGPIPE, Arc::clone(&signal)).unwrap();
    oneloop::run(async {
        let (mut client, _server) = pair().await;
        client.shutdown(Shutdown::Write).unwrap();
        let error = TcpStream::write_all(&client, b"gone").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let error = client.write_vectored(&[IoSlice::new(b"go"), IoSlice::new(b"ne")]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
    assert!(!signal.load(Ordering::Relaxed));
    signal_hook::low_level::raise(SIGPIPE).unwrap();
    assert!(signal.load(Ordering::Relaxed), "it would have been noticed");
    signal_hook::low_level::unregister(id);
}
