use oneloop::net::UnixStream;
use oneloop::{spawn_named, sync::Queue};

const PIECES: [&str; 3] = ["HTTP/1.1 2", "00 OK\r\nContent-Le", "ngth: 0\r\n\r\n"];

pub fn main() {
    oneloop::run(async {
        let (client, server) = UnixStream::pair().expect("two descriptors are free");
        let was_read = Queue::new(1);
        let next = was_read.clone();
        let server = spawn_named("server", async move {
            for piece in PIECES {
                server.write_all(piece.as_bytes()).await.expect("the client reads");
                // As a slow network would: the next piece comes when this one has been read.
                next.get().await.expect("the queue stays open");
            }
        });
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut buffer = [0; 512];
            let count = client.read(&mut buffer).await.expect("the server writes");
            println!("{count} bytes");
            head.extend_from_slice(&buffer[..count]);
            was_read.try_put(()).expect("there is room");
        }
        server.await.expect("it does not panic");
    });
}
