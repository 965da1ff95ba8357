//! Each runtime's connected pair of streams, and how they are read and written.

use std::io;
use std::net::Ipv4Addr;

use async_io::Async;

use super::Stream;

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

impl Stream for OneloopStream {
    async fn read(&mut self, mut buffer: Vec<u8>) -> io::Result<(usize, Vec<u8>)> {
        let length = OneloopStream::read(self, &mut buffer).await?;
        Ok((length, buffer))
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
        OneloopStream::write_all(self, &buffer[..length]).await?;
        Ok(buffer)
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

impl Stream for TokioStream {
    async fn read(&mut self, mut buffer: Vec<u8>) -> io::Result<(usize, Vec<u8>)> {
        let length = tokio::io::AsyncReadExt::read(self, &mut buffer).await?;
        Ok((length, buffer))
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
        tokio::io::AsyncWriteExt::write_all(self, &buffer[..length]).await?;
        Ok(buffer)
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

impl Stream for SmolStream {
    async fn read(&mut self, mut buffer: Vec<u8>) -> io::Result<(usize, Vec<u8>)> {
        let length = futures_lite::AsyncReadExt::read(self, &mut buffer).await?;
        Ok((length, buffer))
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
        futures_lite::AsyncWriteExt::write_all(self, &buffer[..length]).await?;
        Ok(buffer)
    }
}

/// The client's end and the server's.
#[cfg(feature = "compio")]
pub async fn compio_pair() -> io::Result<(compio::net::TcpStream, compio::net::TcpStream)> {
    let (client, server) = std_pair()?;
    Ok((compio::net::TcpStream::from_std(client)?, compio::net::TcpStream::from_std(server)?))
}

#[cfg(feature = "compio")]
impl Stream for compio::net::TcpStream {
    async fn read(&mut self, buffer: Vec<u8>) -> io::Result<(usize, Vec<u8>)> {
        let compio::BufResult(length, buffer) = compio::io::AsyncRead::read(self, buffer).await;
        Ok((length?, buffer))
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
        use compio::buf::{IntoInner as _, IoBuf as _};
        let compio::BufResult(written, part) =
            compio::io::AsyncWriteExt::write_all(self, buffer.slice(..length)).await;
        written?;
        Ok(part.into_inner())
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
impl Stream for monoio::net::TcpStream {
    async fn read(&mut self, buffer: Vec<u8>) -> io::Result<(usize, Vec<u8>)> {
        let (length, buffer) = monoio::io::AsyncReadRent::read(self, buffer).await;
        Ok((length?, buffer))
    }

    async fn write_all(&mut self, buffer: Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
        use monoio::buf::IoBuf as _;
        let (written, part) = monoio::io::AsyncWriteRentExt::write_all(self, buffer.slice(..length)).await;
        written?;
        Ok(part.into_inner())
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
