//! The other side of each test: servers on threads of their own, which may block. Everything is on loopback, at a
//! port that the system chooses.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::{ServerConfig, ServerConnection};

/// Accepts one connection on a thread, and has `talk` talk TLS over it; an error there is the client's doing, so
/// it is returned, not raised.
pub fn serve<F>(config: Arc<ServerConfig>, talk: F) -> (SocketAddr, JoinHandle<io::Result<()>>)
where
    F: FnOnce(&mut ServerConnection, &mut TcpStream) -> io::Result<()> + Send + 'static,
{
    serve_raw(move |mut socket| talk(&mut ServerConnection::new(config).unwrap(), &mut socket))
}

/// Accepts one connection on a thread, and gives it to `talk` as it is.
pub fn serve_raw<F>(talk: F) -> (SocketAddr, JoinHandle<io::Result<()>>)
where
    F: FnOnce(TcpStream) -> io::Result<()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        talk(socket)
    });
    (address, thread)
}

/// Ends the sending side, and takes what still comes until the client has closed: a socket dropped with unread
/// bytes would send a reset, which may overtake what was sent before.
pub fn finish(socket: &mut TcpStream) -> io::Result<()> {
    socket.shutdown(Shutdown::Write)?;
    io::copy(socket, &mut io::sink())?;
    Ok(())
}

/// A socket whose written bytes, counted over its life, a test may change: what `bend` makes of a piece
/// at an offset is sent in its place, and with `None` the sending side ends.
pub struct Bent<'a, F> {
    pub socket: &'a mut TcpStream,
    pub offset: usize,
    pub bend: F,
}

impl<F> Read for Bent<'_, F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buf)
    }
}

impl<F: FnMut(usize, &[u8], &mut TcpStream) -> io::Result<bool>> Write for Bent<'_, F> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if !(self.bend)(self.offset, buf, self.socket)? {
            return Err(io::Error::other("the test ended the connection here"));
        }
        self.offset += buf.len();
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
