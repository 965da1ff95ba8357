use oneloop::{spawn_named, yield_now};

async fn array() -> usize {
    let bytes = [7_u8; 16 * 1024];
    yield_now().await;
    bytes.iter().filter(|byte| **byte == 7).count()
}

async fn vector() -> usize {
    let bytes = vec![7_u8; 16 * 1024];
    yield_now().await;
    bytes.iter().filter(|byte| **byte == 7).count()
}

async fn counted() -> usize {
    let count = [7_u8; 16 * 1024].iter().filter(|byte| **byte == 7).count();
    yield_now().await;
    count
}

pub fn main() {
    oneloop::run(async {
        let counts = [spawn_named("array", array()).await, spawn_named("vector", vector()).await];
        println!("{:?}, {:?}", counts, spawn_named("counted", counted()).await);
    });
}
