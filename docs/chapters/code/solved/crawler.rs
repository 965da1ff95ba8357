use std::cell::Cell;
use std::rc::Rc;

use oneloop::http::{Client, Reply, Server};
use oneloop::sync::Semaphore;
use oneloop::{gather, spawn, yield_now};

pub fn main() {
    oneloop::run(async {
        // A site that counts who is being served, and the most at once.
        let (now, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (serving_now, seen) = (Rc::clone(&now), Rc::clone(&most));
        let server = Server::bind("127.0.0.1:0").expect("the loopback has ports");
        let base = format!("http://{}/", server.local_addr().expect("it is bound"));
        let serving = spawn(server.serve(move |_| {
            let (now, most) = (Rc::clone(&serving_now), Rc::clone(&seen));
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                for _ in 0..10 {
                    yield_now().await;
                }
                now.set(now.get() - 1);
                Reply::text("here you are")
            }
        }));

        // One permit for each request that may be in flight, held until the body is read.
        let lanes = Semaphore::new(3);
        let client = Client::new();
        let fetch = |_| {
            let (lanes, client, base) = (lanes.clone(), client.clone(), base.clone());
            async move {
                let _lane = lanes.acquire().await;
                client.get(base).send().await?.text().await
            }
        };
        let pages = gather((0..20).map(fetch)).await;
        assert!(pages.into_iter().all(|page| page.is_ok_and(|text| text.is_ok())));
        assert_eq!(most.get(), 3);
        serving.cancel();
    });
}
