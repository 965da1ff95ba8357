//! The other side of each test: an authority that signs certificates, and servers on threads of their own, which
//! may block. Everything is on loopback, at a port that the system chooses.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use oneloop::net::tls;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

/// The years in which a certificate holds, unless the test is about just that.
pub const VALID: (i32, i32) = (2000, 2999);

/// A certificate authority made for one test.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // A name of its own, lest a client takes one authority's signature for a bad one of the other.
        let key = KeyPair::generate().unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("{:?}", key.public_key_raw()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        Authority { issuer: Issuer::new(params, key), root }
    }

    /// A client that trusts this authority and no other.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        tls::client_config_trusting(roots)
    }

    /// A server with a certificate for `names`.
    pub fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        self.server_with(names, VALID, rustls::ALL_VERSIONS)
    }

    pub fn server_with(
        &self,
        names: &[&str],
        years: (i32, i32),
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Arc::new(config)
    }
}

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
