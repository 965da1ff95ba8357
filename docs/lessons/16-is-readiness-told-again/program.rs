use oneloop::net::UnixStream;
use oneloop::{spawn_named, yield_now};

pub fn main() {
    oneloop::run(async {
        let (client, server) = UnixStream::pair().expect("two descriptors are free");
        server.write_all(&[7; 300]).await.expect("it fits into the kernel's buffer");
        let mut buffer = [0; 100];
        for _ in 0..3 {
            let count = client.read(&mut buffer).await.expect("the bytes are there");
            println!("{count} bytes");
            yield_now().await;
        }
        let server = spawn_named("server", async move {
            server.write_all(b"bye").await.expect("the client reads");
        });
        let count = client.read(&mut buffer).await.expect("the server writes");
        println!("{count} bytes");
        server.await.expect("it does not panic");
    });
}
