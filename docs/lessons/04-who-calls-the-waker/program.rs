use oneloop::net::UnixStream;

async fn reader(from: UnixStream) {
    let mut buffer = [0; 16];
    let bytes = from.read(&mut buffer).await.expect("the other end is open");
    println!("reader: {}", String::from_utf8_lossy(&buffer[..bytes]));
}

pub fn main() {
    oneloop::run(async {
        let (from, to) = UnixStream::pair().expect("a pair of sockets");
        let reader = oneloop::spawn(reader(from));
        oneloop::yield_now().await;
        oneloop::yield_now().await;
        to.write_all(b"hello").await.expect("the reader is there");
        println!("main: written");
        reader.await.expect("it does not panic");
    });
}
