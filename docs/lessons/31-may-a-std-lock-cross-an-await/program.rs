use std::{rc::Rc, time::Duration};

use oneloop::{sleep, spawn_named, sync};

#[expect(clippy::await_holding_lock, reason = "it is what this shows")]
async fn with_std(total: Rc<std::sync::Mutex<u32>>) {
    let Ok(mut total) = total.try_lock() else {
        return println!("here `lock()` would stop the thread, and the loop with it");
    };
    sleep(Duration::from_secs(1)).await;
    *total += 1;
}

async fn with_ours(total: sync::Mutex<u32>) {
    let mut total = total.lock().await;
    sleep(Duration::from_secs(1)).await;
    *total += 1;
}

pub fn main() {
    oneloop::run(async {
        let (std, ours) = (Rc::new(std::sync::Mutex::new(0)), sync::Mutex::new(0));
        let a = spawn_named("a", with_std(std.clone()));
        let b = spawn_named("b", with_std(std));
        let c = spawn_named("c", with_ours(ours.clone()));
        let d = spawn_named("d", with_ours(ours));
        println!("{:?}", (a.await, b.await, c.await, d.await));
    });
}
