//! Each runtime's connected pair of streams, and how they are read and written.

use std::future::Future;
use std::io;
use std::mem;
use std::net::Ipv4Addr;

use async_io::Async;

use super::{End, Stream};

const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

type OneloopStream = oneloop::net::TcpStream;
type TokioStream = tokio::net::TcpStream;
type SmolStream = Async<std::net::TcpStream>;

/// The client's end and the server's.
pub async fn oneloop_pair() -> io::Result<(OneloopStream, OneloopStream)> {
    let listener = oneloop::net::TcpListener::bind(LOOPBACK)?;
    let client = OneloopStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

impl Stream for End<OneloopStream> {
    fn read(&mut self) -> impl Future<Output = io::Result<usize>> {
        self.stream.read(&mut self.buffer)
    }

    fn write_all(&mut self, length: usize) -> impl Future<Output = io::Result<()>> {
        self.stream.write_all(&self.buffer[..length])
    }
}

/// The client's end and the server's.
pub async fn tokio_pair() -> io::Result<(TokioStream, TokioStream)> {
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await?;
    let client = TokioStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

impl Stream for End<TokioStream> {
    fn read(&mut self) -> impl Future<Output = io::Result<usize>> {
        tokio::io::AsyncReadExt::read(&mut self.stream, &mut self.buffer)
    }

    fn write_all(&mut self, length: usize) -> impl Future<Output = io::Result<()>> {
        tokio::io::AsyncWriteExt::write_all(&mut self.stream, &self.buffer[..length])
    }
}

/// The client's end and the server's.
pub async fn smol_pair() -> io::Result<(SmolStream, SmolStream)> {
    let listener = Async::<std::net::TcpListener>::bind(LOOPBACK)?;
    let client = SmolStream::connect(listener.get_ref().local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    client.get_ref().set_nodelay(true)?;
    server.get_ref().set_nodelay(true)?;
    Ok((client, server))
}

impl Stream for End<SmolStream> {
    fn read(&mut self) -> impl Future<Output = io::Result<usize>> {
        futures_lite::AsyncReadExt::read(&mut self.stream, &mut self.buffer)
    }

    fn write_all(&mut self, length: usize) -> impl Future<Output = io::Result<()>> {
        futures_lite::AsyncWriteExt::write_all(&mut self.stream, &self.buffer[..length])
    }
}

/// The client's end and the server's.
#[cfg(feature = "compio")]
pub async fn compio_pair() -> io::Result<(compio::net::TcpStream, compio::net::TcpStream)> {
    let (client, server) = std_pair()?;
    Ok((compio::net::TcpStream::from_std(client)?, compio::net::TcpStream::from_std(server)?))
}

#[cfg(feature = "compio")]
impl Stream for End<compio::net::TcpStream> {
    async fn read(&mut self) -> io::Result<usize> {
        let buffer = mem::take(&mut self.buffer);
        let compio::BufResult(length, buffer) = compio::io::AsyncRead::read(&mut self.stream, buffer).await;
        self.buffer = buffer;
        length
    }

    async fn write_all(&mut self, length: usize) -> io::Result<()> {
        use compio::buf::{IntoInner as _, IoBuf as _};
        let part = mem::take(&mut self.buffer).slice(..length);
        let compio::BufResult(written, part) =
            compio::io::AsyncWriteExt::write_all(&mut self.stream, part).await;
        self.buffer = part.into_inner();
        written
    }
}

/// The client's end and the server's.
#[cfg(feature = "monoio")]
pub async fn monoio_pair() -> io::Result<(monoio::net::TcpStream, monoio::net::TcpStream)> {
    let listener = monoio::net::TcpListener::bind(LOOPBACK)?;
    let client = monoio::net::TcpStream::connect_addr(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

#[cfg(feature = "monoio")]
impl Stream for End<monoio::net::TcpStream> {
    async fn read(&mut self) -> io::Result<usize> {
        let buffer = mem::take(&mut self.buffer);
        let (length, buffer) = monoio::io::AsyncReadRent::read(&mut self.stream, buffer).await;
        self.buffer = buffer;
        length
    }

    async fn write_all(&mut self, length: usize) -> io::Result<()> {
        use monoio::buf::IoBuf as _;
        let mut buffer = mem::take(&mut self.buffer);
        // A read has left it as long as what came.
        buffer.resize(buffer.len().max(length), 7);
        let part = buffer.slice(..length);
        let (written, part) = monoio::io::AsyncWriteRentExt::write_all(&mut self.stream, part).await;
        self.buffer = part.into_inner();
        written.map(drop)
    }
}

/// A pair made without a runtime, which blocks.
pub fn std_pair() -> io::Result<(std::net::TcpStream, std::net::TcpStream)> {
    let listener = std::net::TcpListener::bind(LOOPBACK)?;
    let client = std::net::TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    for end in [&client, &server] {
        end.set_nodelay(true)?;
    }
    Ok((client, server))
}
