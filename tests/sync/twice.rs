//! The same program, run twice in virtual time, does the same things in the same order at the same times.

use oneloop::sync::{
    Barrier, BoundedSemaphore, Condition, Event, LifoQueue, Mutex, PriorityQueue, Queue, Semaphore, oneshot,
};
use oneloop::trace::{Event as TraceEvent, Observer};
use oneloop::{EventLoop, gather, sleep, spawn, wait_for};

use crate::{Notes, ms};

struct Listener(Notes<String>);

impl Observer for Listener {
    fn event(&self, event: &TraceEvent) {
        self.0.add(format!("{event:?}"));
    }
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    /// From 0 up to, and without, `below`.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[derive(Clone)]
struct Objects {
    queue: Queue<u64>,
    stack: LifoQueue<u64>,
    jobs: PriorityQueue<u64>,
    semaphore: Semaphore,
    bounded: BoundedSemaphore,
    total: Mutex<u64>,
    changed: Condition,
    event: Event,
    barrier: Barrier,
}

/// One task: ten random operations, each of which may run out of time.
async fn play(objects: Objects, mut dice: Dice) -> u64 {
    let mut late = 0;
    for _ in 0..10 {
        sleep(ms(dice.roll(4))).await;
        let (choice, limit, item) = (dice.roll(12), ms(1 + dice.roll(8)), dice.roll(100));
        let operation = async {
            match choice {
                0 => objects.queue.put(item).await.unwrap(),
                1 => drop(objects.queue.get().await),
                2 => objects.stack.put(item).await.unwrap(),
                3 => drop(objects.stack.get().await),
                4 => objects.jobs.put(item).await.unwrap(),
                5 => drop(objects.jobs.get().await),
                6 => drop((objects.semaphore.acquire().await, sleep(ms(2)).await)),
                7 => drop((objects.bounded.acquire().await, sleep(ms(2)).await)),
                8 => {
                    let mut total = objects.total.lock().await;
                    sleep(ms(1)).await;
                    *total += item;
                    objects.changed.notify(1);
                }
                9 => {
                    let total = objects.total.lock().await;
                    drop(objects.changed.wait_for(total, |total| *total % 3 == 0).await);
                }
                10 if objects.event.is_set() => objects.event.clear(),
                10 => objects.event.set(),
                _ => {
                    let _either = objects.barrier.wait().await;
                    objects.event.wait().await;
                }
            }
        };
        late += u64::from(wait_for(operation, limit).await.is_err());
    }
    late
}

/// Runs the program of this seed; all that happened, and how many operations were too late.
fn run(seed: u64) -> (Vec<String>, u64) {
    let events = Notes::default();
    let watched = EventLoop::builder().virtual_time().observer(Listener(events.clone())).build().unwrap();
    let late = watched.run_until_complete(async {
        let objects = Objects {
            queue: Queue::new(2),
            stack: LifoQueue::new(2),
            jobs: PriorityQueue::new(2),
            semaphore: Semaphore::new(2),
            bounded: BoundedSemaphore::new(1),
            total: Mutex::new(0),
            changed: Condition::new(),
            event: Event::new(),
            barrier: Barrier::new(3),
        };
        let mut dice = Dice(seed);
        let players = (0..12).map(|_| play(objects.clone(), Dice(dice.roll(u64::from(u32::MAX)))));
        let players: Vec<_> = players.collect();
        let cancelled = spawn(play(objects.clone(), Dice(dice.roll(1_000))));
        let (sender, receiver) = oneshot::channel();
        let teller = spawn(async move {
            sleep(ms(dice.roll(10))).await;
            cancelled.cancel();
            sender.send(dice.roll(10)).unwrap();
        });
        let late: u64 = gather(players).await.into_iter().map(Result::unwrap).sum();
        teller.await.unwrap();
        late + receiver.await.unwrap()
    });
    (events.take(), late)
}

#[test]
fn the_same_program_gives_the_same_events_twice() {
    let mut programs = Vec::new();
    for seed in 0..20 {
        let (first, second) = (run(seed), run(seed));
        for (number, (one, other)) in first.0.iter().zip(&second.0).enumerate() {
            assert_eq!(one, other, "seed {seed}, event {number}");
        }
        assert_eq!((first.0.len(), first.1), (second.0.len(), second.1), "seed {seed}");
        assert!(first.0.len() > 500, "seed {seed}: little happened");
        programs.push(first.0);
    }
    programs.dedup();
    assert_eq!(programs.len(), 20, "each seed is another program");
}
