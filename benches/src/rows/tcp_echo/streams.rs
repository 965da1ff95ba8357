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
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        OneloopStream::read(self, buffer).await
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        OneloopStream::write_all(self, bytes).await
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
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        tokio::io::AsyncReadExt::read(self, buffer).await
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        tokio::io::AsyncWriteExt::write_all(self, bytes).await
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
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        futures_lite::AsyncReadExt::read(self, buffer).await
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        futures_lite::AsyncWriteExt::write_all(self, bytes).await
    }
}
