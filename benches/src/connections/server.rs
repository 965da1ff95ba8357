//! The server's process: one runtime in one thread, which sends back whatever comes.

use std::future::pending;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use async_io::Async;
use tokio::task::spawn_local;

use crate::child;
use crate::rows::tcp_echo::serve as echo;
use crate::start;

/// Who can be the server. tokio is its `LocalRuntime`.
pub const PEERS: [&str; 3] = ["oneloop", "tokio", "smol"];

/// A server's process, seen from the one that started it. It ends when this is dropped.
pub struct Server {
    process: Child,
    addresses: Vec<String>,
}

impl Server {
    pub fn start(peer: &str, addresses: u64) -> Result<Server, String> {
        let what = |error| format!("the server of {peer}: {error}");
        let mut command = Command::new(child::this_program()?);
        command.args(["connections", "--serve", peer, &addresses.to_string()]);
        command.env_remove("ONELOOP").stdout(Stdio::piped());
        let mut process = command.spawn().map_err(what)?;
        let output = process.stdout.take().ok_or("the server's output is a pipe")?;
        let mut server = Server { process, addresses: Vec::new() };
        for line in BufReader::new(output).lines().take(addresses as usize) {
            server.addresses.push(line.map_err(what)?);
        }
        match server.addresses.len() as u64 {
            count if count == addresses => Ok(server),
            count => Err(format!("the server of {peer} listens on {count} of {addresses} addresses")),
        }
    }

    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's work: tells the addresses it listens on, a line each, and serves until it is killed.
pub fn serve(words: &[String]) -> Result<(), String> {
    let [peer, count] = words else {
        return Err("--serve takes a peer and a number of addresses".into());
    };
    let count: u8 = count.parse().map_err(|_| format!("{count} is no number of addresses"))?;
    match peer.as_str() {
        "oneloop" => start::on_oneloop(on_oneloop(count)),
        "tokio" => start::on_tokio_local(on_tokio(count)),
        "smol" => start::on_smol(|smol| on_smol(smol, count)),
        _ => return Err(format!("there is no server {peer}; the servers are {}", PEERS.join(", "))),
    }
    .map_err(|error| format!("the server of {peer}: {error}"))
}

/// Each address is one of the loopback network, and the system chooses its port.
fn addresses(count: u8) -> impl Iterator<Item = SocketAddr> {
    (1..=count).map(|last| (Ipv4Addr::new(127, 0, 0, last), 0).into())
}

async fn on_oneloop(count: u8) -> io::Result<()> {
    for address in addresses(count) {
        let listener = oneloop::net::TcpListener::bind(address)?;
        println!("{}", listener.local_addr()?);
        let accept = async move {
            loop {
                let (stream, _) = listener.accept().await.expect("loopback works");
                stream.set_nodelay(true).expect("loopback works");
                drop(oneloop::spawn(echo(stream)));
            }
        };
        drop(oneloop::spawn(accept));
    }
    pending().await
}

async fn on_tokio(count: u8) -> io::Result<()> {
    for address in addresses(count) {
        let listener = tokio::net::TcpListener::bind(address).await?;
        println!("{}", listener.local_addr()?);
        spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("loopback works");
                stream.set_nodelay(true).expect("loopback works");
                spawn_local(echo(stream));
            }
        });
    }
    pending().await
}

async fn on_smol(smol: start::Smol, count: u8) -> io::Result<()> {
    for address in addresses(count) {
        let listener = Async::<TcpListener>::bind(address)?;
        println!("{}", listener.get_ref().local_addr()?);
        let accept = async move {
            loop {
                let (stream, _): (_, SocketAddr) = listener.accept().await.expect("loopback works");
                stream.get_ref().set_nodelay(true).expect("loopback works");
                smol.spawn(echo(stream)).detach();
            }
        };
        smol.spawn(accept).detach();
    }
    pending().await
}
