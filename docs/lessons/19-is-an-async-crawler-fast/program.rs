use std::time::Duration;

use oneloop::sync::Semaphore;
use oneloop::{sleep, spawn, time};

async fn fetch(slots: Semaphore) {
    let _slot = slots.acquire().await;
    sleep(Duration::from_secs(1)).await;
}

pub fn main() {
    oneloop::run(async {
        let (start, two) = (time(), Semaphore::new(2));
        for _page in 0..4 {
            spawn(fetch(two.clone())).await.expect("it does not panic");
        }
        println!("one at a time: {} s", (time() - start).as_secs());

        let start = time();
        let pages: Vec<_> = (0..4).map(|_page| spawn(fetch(two.clone()))).collect();
        for page in pages {
            page.await.expect("it does not panic");
        }
        println!("two at a time: {} s", (time() - start).as_secs());
    });
}
