//! Datagrams.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::pin::pin;

use futures_lite::future::poll_once;
use oneloop::net::UdpSocket;
use oneloop::{spawn, yield_now};

use crate::support::virtual_loop;

fn local() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

/// Two sockets, each connected to the other.
fn pair() -> (UdpSocket, UdpSocket) {
    let (one, other) = (local(), local());
    one.connect(other.local_addr().unwrap()).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    (one, other)
}

#[test]
fn a_datagram_arrives_whole_and_says_where_it_came_from() {
    virtual_loop().run_until_complete(async {
        let (client, server) = (local(), local());
        let to = server.local_addr().unwrap();
        assert_eq!(client.send_to(b"one", to).await.unwrap(), 3);
        assert_eq!(client.send_to(b"three", to).await.unwrap(), 5);
        let (mut buffer, from) = ([0; 100], client.local_addr().unwrap());
        assert_eq!(server.recv_from(&mut buffer).await.unwrap(), (3, from));
        assert_eq!(server.recv_from(&mut buffer).await.unwrap(), (5, from));
        assert_eq!(&buffer[..5], b"three");
    });
}

#[test]
fn a_task_that_waits_for_a_datagram_says_so() {
    virtual_loop().run_until_complete(async {
        let (one, other) = pair();
        let waits = spawn(async move { other.recv(&mut [0; 16]).await });
        yield_now().await;
        let shown = format!("{waits:?}");
        assert!(shown.contains("outside/udp.rs") && shown.contains("a datagram"), "{shown}");
        one.send(b"now").await.unwrap();
        assert_eq!(waits.await.unwrap().unwrap(), 3);
    });
}

#[test]
fn connected_sockets_need_no_address() {
    virtual_loop().run_until_complete(async {
        let (one, other) = pair();
        assert_eq!(one.peer_addr().unwrap(), other.local_addr().unwrap());
        one.send(b"ping").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(other.recv(&mut buffer).await.unwrap(), 4);
        // Nobody else is heard.
        local().send_to(b"stranger", other.local_addr().unwrap()).await.unwrap();
        one.send(b"friend").await.unwrap();
        assert_eq!(other.recv(&mut buffer).await.unwrap(), 6);
    });
}

#[test]
fn an_empty_datagram_is_one() {
    virtual_loop().run_until_complete(async {
        let (one, other) = pair();
        assert_eq!(one.send(b"").await.unwrap(), 0);
        one.send(b"x").await.unwrap();
        assert_eq!(other.recv(&mut [0; 16]).await.unwrap(), 0);
        assert_eq!(other.recv(&mut [0; 16]).await.unwrap(), 1);
    });
}

#[test]
fn what_does_not_fit_is_cut_off_and_the_next_datagram_is_whole() {
    virtual_loop().run_until_complete(async {
        let (one, other) = pair();
        one.send(b"too long").await.unwrap();
        one.send(b"next").await.unwrap();
        let mut buffer = [0; 4];
        assert_eq!(other.recv(&mut buffer).await.unwrap(), 4);
        assert_eq!(&buffer, b"too ");
        assert_eq!(other.recv(&mut buffer).await.unwrap(), 4);
        assert_eq!(&buffer, b"next");
    });
}

#[test]
fn the_longest_datagram_arrives_and_a_longer_one_is_an_error() {
    virtual_loop().run_until_complete(async {
        let (one, other) = (local(), local());
        let to = other.local_addr().unwrap();
        assert_eq!(one.send_to(&[7; 65_507], to).await.unwrap(), 65_507);
        assert_eq!(other.recv(&mut vec![0; 65_535]).await.unwrap(), 65_507);
        let error = one.send_to(&[7; 65_508], to).await.unwrap_err().to_string();
        assert!(error.contains("65508 bytes") && error.contains(&to.to_string()), "{error}");
    });
}

#[test]
fn nobody_at_the_peer_is_told_to_the_next_operation() {
    virtual_loop().run_until_complete(async {
        let (one, other) = pair();
        drop(other);
        one.send(b"hello?").await.unwrap();
        assert_eq!(one.recv(&mut [0; 16]).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_socket_without_a_peer_cannot_send_to_it() {
    virtual_loop().run_until_complete(async {
        let error = local().send(b"x").await.unwrap_err().to_string();
        assert!(error.contains("cannot send a datagram of 1 bytes to its peer"), "{error}");
        assert!(local().peer_addr().is_err());
    });
}

#[test]
fn a_cancelled_receive_loses_nothing() {
    virtual_loop().run_until_complete(async {
        let (one, other) = pair();
        {
            let mut buffer = [0; 16];
            let mut waits = pin!(other.recv(&mut buffer));
            assert!(poll_once(&mut waits).await.is_none());
            one.send(b"hello").await.unwrap();
        }
        assert_eq!(other.recv(&mut [0; 16]).await.unwrap(), 5);
    });
}

#[test]
fn a_group_is_reached_by_one_datagram() {
    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
    virtual_loop().run_until_complete(async {
        let (one, member) = (local(), UdpSocket::bind("0.0.0.0:0").unwrap());
        member.join_multicast_v4(GROUP, Ipv4Addr::LOCALHOST).unwrap();
        one.set_multicast_loop_v4(true).unwrap();
        one.set_ttl(1).unwrap();
        one.set_broadcast(true).unwrap();
        let port = member.local_addr().unwrap().port();
        one.send_to(b"all", (GROUP, port).into()).await.unwrap();
        assert_eq!(member.recv(&mut [0; 16]).await.unwrap(), 3);
        member.leave_multicast_v4(GROUP, Ipv4Addr::LOCALHOST).unwrap();
        assert!(member.join_multicast_v4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST).is_err(), "no group");
    });
}

#[test]
fn a_port_that_is_taken_is_named() {
    virtual_loop().run_until_complete(async {
        let taken = local().local_addr().unwrap();
        let holder = UdpSocket::bind(taken).unwrap();
        let error = UdpSocket::bind(taken).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&taken.to_string()), "{error}");
        drop(holder);
        let none: &[std::net::SocketAddr] = &[];
        assert_eq!(UdpSocket::bind(none).unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}
