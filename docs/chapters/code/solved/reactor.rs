use std::io;

use oneloop::net::UnixStream;
use oneloop::{spawn, yield_now};

/// Reads until the buffer is full: one read moves what is there, and that may be less.
async fn read_exact(stream: &UnixStream, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        match stream.read(buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => buffer = &mut buffer[bytes..],
        }
    }
    Ok(())
}

pub fn main() {
    oneloop::run(async {
        let (here, there) = UnixStream::pair().expect("two descriptors more");
        let writer = spawn(async move {
            for piece in ["ei", "ght", "een by", "tes, to"] {
                there.write_all(piece.as_bytes()).await.expect("the reader reads");
                yield_now().await;
            }
        });
        let mut buffer = [0; 18];
        read_exact(&here, &mut buffer).await.expect("all of them come");
        assert_eq!(&buffer, b"eighteen bytes, to");
        writer.await.expect("writing does not panic");
        let end = read_exact(&here, &mut buffer).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    });
}
