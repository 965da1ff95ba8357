use oneloop::net::UnixStream;
use oneloop::{spawn_named, yield_now};

/// Answers each piece with its length.
async fn count(stream: UnixStream) {
    let mut buffer = [0; 64];
    loop {
        let bytes = stream.read(&mut buffer).await.expect("the other end is in this program");
        if bytes == 0 {
            println!("the end");
            return;
        }
        let answer = format!("{bytes} bytes");
        stream.write_all(answer.as_bytes()).await.expect("the other end reads");
    }
}

pub fn main() {
    oneloop::run(async {
        let (here, there) = UnixStream::pair().expect("two descriptors more");
        let counter = spawn_named("counter", count(there));
        yield_now().await;
        here.write_all(b"hello").await.expect("the counter reads");
        let mut answer = [0; 64];
        let bytes = here.read(&mut answer).await.expect("the counter answers");
        println!("{}", String::from_utf8_lossy(&answer[..bytes]));
        drop(here);
        counter.await.expect("counting does not panic");
    });
}
