use std::time::Duration;

async fn nap() {
    println!("nap: good night");
    oneloop::sleep(Duration::from_secs(3600)).await;
    println!("nap: good morning");
}

pub fn main() {
    oneloop::run(async {
        oneloop::spawn(nap()).await.expect("a nap does not panic");
    });
}
