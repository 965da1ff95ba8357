//! Chance instead of malice: bits flipped, records in the wrong order, and noise. The seed is fixed, so that what
//! fails once fails again.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::ServerConnection;

use crate::authority::Authority;
use crate::malice::{Outcome, each_version, meet, records};
use crate::noise;
use crate::peer::{finish, serve, serve_raw};

/// The records with which a server answers the client's hello. A client that gets them, and then the end of the
/// stream, may finish the handshake (TLS 1.3) or not (TLS 1.2), and then reads an end without goodbye.
fn first_flight(tls: &mut ServerConnection, socket: &mut TcpStream) -> io::Result<Vec<Vec<u8>>> {
    while !tls.wants_write() {
        tls.read_tls(socket)?;
        tls.process_new_packets().map_err(io::Error::other)?;
    }
    let mut pieces = Pieces(Vec::new());
    while tls.wants_write() {
        tls.write_tls(&mut pieces)?;
    }
    Ok(pieces.0)
}

/// Keeps what is written, one record a piece.
struct Pieces(Vec<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.push(buf.to_vec());
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What may become of a client whose server was tampered with: an error, that names the host or follows
/// what was read.
fn check(outcome: Outcome, what: &str) {
    match outcome {
        Outcome::Refused(error) => assert!(error.to_string().contains("photos.test"), "{what}: {error}"),
        Outcome::Opened(read) => assert!(read.is_err(), "{what}: no goodbye was sent, and none was missed"),
    }
}

#[test]
fn a_flipped_bit_anywhere_in_the_first_flight_is_harmless() {
    each_version(|authority, config| {
        let total: usize = records(authority, config).iter().sum();
        for at in 0..total {
            let bit = 1 << (at % 8);
            let (address, server) = serve(Arc::clone(config), move |tls, socket| {
                let mut flight = first_flight(tls, socket)?.concat();
                if let Some(byte) = flight.get_mut(at) {
                    *byte ^= bit;
                }
                socket.write_all(&flight)?;
                finish(socket)
            });
            check(meet(authority, address), &format!("bit {bit} of byte {at}"));
            let _ = server.join().unwrap();
        }
    });
}

#[test]
fn records_dropped_doubled_or_swapped_are_harmless() {
    each_version(|authority, config| {
        for (round, dice) in noise(3 * 100).chunks(3).enumerate() {
            let dice: Vec<usize> = dice.iter().map(|&die| usize::from(die)).collect();
            let (address, server) = serve(Arc::clone(config), move |tls, socket| {
                let mut flight = first_flight(tls, socket)?;
                let (one, other) = (dice[1] % flight.len(), dice[2] % flight.len());
                match dice[0] % 3 {
                    0 => drop(flight.remove(one)),
                    1 => flight.insert(other, flight[one].clone()),
                    _ => flight.swap(one, other),
                }
                socket.write_all(&flight.concat())?;
                finish(socket)
            });
            check(meet(authority, address), &format!("round {round}"));
            let _ = server.join().unwrap();
        }
    });
}

#[test]
fn random_bytes_are_refused() {
    let authority = Authority::new();
    let bytes = noise(200 * 50);
    for (round, garbage) in bytes.chunks(50).enumerate() {
        // Half of them behind a good record header, so that they get past the first check.
        let kind = 20 + (round % 4) as u8;
        let header: &[u8] = if round % 2 == 0 { &[kind, 3, 3, 0, 50] } else { &[] };
        let answer = [header, garbage].concat();
        let (address, server) = serve_raw(move |mut socket| {
            socket.write_all(&answer)?;
            finish(&mut socket)
        });
        let outcome = meet(&authority, address);
        assert!(matches!(outcome, Outcome::Refused(_)), "{garbage:?}: {outcome:?}");
        let _ = server.join().unwrap();
    }
}
