//! Numbers at the ends of their ranges.

use std::time::{Duration, Instant};

use oneloop::sync::{Barrier, BoundedSemaphore, Queue, Semaphore};
use oneloop::{
    BlockingPool, Either, ProcessPool, ReturnWhen, as_completed, call_at, call_later, gather, race, sleep,
    sleep_until, spawn, time, timeout, wait, wait_for, yield_now,
};

use crate::panic_of;
use crate::support::virtual_loop;

const ENDLESS: Duration = Duration::MAX;

#[test]
fn delays_of_nothing_and_of_for_ever_are_delays() {
    virtual_loop().run_until_complete(async {
        let long_ago = time() - Duration::from_nanos(1);
        sleep(Duration::ZERO).await;
        sleep_until(long_ago).await;
        let never = call_later(ENDLESS, || panic!("the end of time"));
        assert!(matches!(race(sleep(ENDLESS), yield_now()).await, Either::Right(())));
        assert_eq!(wait_for(async { 1 }, ENDLESS).await.unwrap(), 1);
        assert_eq!(wait_for(async { 1 }, Duration::ZERO).await.unwrap(), 1, "it was ready at the first look");
        assert!(wait_for(yield_twice(), Duration::ZERO).await.is_err());
        assert!(wait_for(sleep(ENDLESS), Duration::from_secs(1)).await.is_err());
        assert_eq!(timeout(ENDLESS, async |_| 2).await.unwrap(), 2);
        assert!(timeout(Duration::ZERO, async |_| sleep(ENDLESS).await).await.is_err());
        let waited = wait([spawn(async { 3 })]).timeout(ENDLESS).await;
        assert_eq!(waited.done.len(), 1);
        let waited = wait([spawn(async { 3 })]).timeout(Duration::ZERO).await;
        assert_eq!(waited.done.len() + waited.pending.len(), 1);
        let none: [oneloop::JoinHandle<()>; 0] = [];
        for when in [ReturnWhen::FirstCompleted, ReturnWhen::AllCompleted] {
            let none: [oneloop::JoinHandle<()>; 0] = [];
            assert!(wait(none).return_when(when).await.done.is_empty());
        }
        assert!(as_completed(none).next().await.is_none());
        let none: [oneloop::JoinHandle<()>; 0] = [];
        assert!(gather(none).await.is_empty());
        assert!(never.cancel());
        call_at(Instant::now() - Duration::from_secs(1), || ());
        let advanced = time();
        assert!(advanced >= long_ago);
    });
}

async fn yield_twice() {
    yield_now().await;
    yield_now().await;
}

#[test]
fn capacities_of_nothing_and_of_everything_are_refused_or_do() {
    assert!(!panic_of(|| Barrier::new(0)).is_empty());
    assert!(!panic_of(|| BlockingPool::new(0)).is_empty());
    assert!(!panic_of(|| ProcessPool::new(0)).is_empty());
    let full = Semaphore::new(usize::MAX);
    assert!(panic_of(|| full.release()).contains("usize::MAX"));
    let permit = full.try_acquire().unwrap();
    drop(permit);
    assert_eq!(full.available(), usize::MAX, "the refused release changed nothing");
    let bounded = BoundedSemaphore::new(1);
    assert!(!panic_of(|| bounded.release()).is_empty());
    let queue = Queue::new(usize::MAX);
    queue.try_put(1).unwrap();
    assert_eq!(queue.try_get().unwrap(), 1);
    queue.task_done();
    assert!(!panic_of(|| queue.task_done()).is_empty());
    drop(BlockingPool::new(usize::MAX));
    assert!(oneloop::EventLoop::builder().pool_threads(0).build().is_ok());
    assert!(oneloop::EventLoop::builder().pool_threads(usize::MAX).slow(Duration::ZERO).build().is_ok());
}
