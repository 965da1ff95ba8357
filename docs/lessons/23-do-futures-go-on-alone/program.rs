use std::pin::pin;
use std::time::Duration;

use oneloop::sync::Semaphore;
use oneloop::{race, sleep, time};

async fn fetch(one: &Semaphore, page: u32) -> u32 {
    let _permit = one.acquire().await;
    sleep(Duration::from_secs(1)).await;
    page
}

pub fn main() {
    oneloop::run(async {
        let (start, one) = (time(), Semaphore::new(1));
        let (mut a, mut b) = (pin!(fetch(&one, 1)), pin!(fetch(&one, 2)));
        race(a.as_mut(), b.as_mut()).await;
        println!("page 1 is there after {} s", (time() - start).as_secs());
        for _line in 0..5 {
            sleep(Duration::from_secs(1)).await;
        }
        println!("page 1 is read after {} s", (time() - start).as_secs());
        b.await;
        println!("page 2 is there after {} s", (time() - start).as_secs());
    });
}
