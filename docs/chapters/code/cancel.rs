use std::time::Duration;

use oneloop::{sleep, spawn_named};

struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        println!("{} is dropped", self.0);
    }
}

async fn inner() {
    let _guard = Guard("inner's guard");
    sleep(Duration::from_secs(3600)).await;
}

async fn outer() {
    let _first = Guard("outer's first guard");
    let _second = Guard("outer's second guard");
    let inner = spawn_named("inner", inner());
    let _ = inner.await;
    println!("never printed");
}

pub fn main() {
    oneloop::run(async {
        let outer = spawn_named("outer", outer());
        sleep(Duration::from_secs(1)).await;
        outer.cancel();
        println!("asked to end");
        println!("it ended: {:?}", outer.await);
        sleep(Duration::from_secs(1)).await;
    });
}
