//! Three producers, one queue, one consumer: the weather of three towns, every five seconds.
//!
//! A producer asks for the weather of its town, puts the report into the queue, and sleeps. The consumer takes
//! reports out as they come and prints them; it knows nothing of towns, and they know nothing of printing. The
//! queue's `join` waits until every report that was put has been dealt with. Only then is the consumer cancelled.
//!
//! ```text
//! $ cargo run --example weather
//! Kiel: 6.7 °C :: drizzle
//! München: 12.9 °C :: drizzle
//! Berlin: 8.5 °C :: clouds
//! Kiel: 7.2 °C :: clouds
//! München: 13.4 °C :: clouds
//! Berlin: 9.0 °C :: sunshine
//! Kiel: 7.7 °C :: sunshine
//! München: 13.9 °C :: sunshine
//! Berlin: 9.5 °C :: drizzle
//! 9 reports in 10.4 s
//! ```
//!
//! `-- --forever` goes on until Ctrl-C. The service is a stand-in that takes about 0.1 s, so that nothing here needs the
//! internet, and `ONELOOP=virtual cargo run --example weather` takes no time at all.
//!
//! Read next: `src/sync/queue.rs`, and `src/sync/queue_state.rs`, who gets what.

#![forbid(unsafe_code)]

use std::time::Duration;

use clap::Parser;
use oneloop::sync::Queue;
use oneloop::{gather, sleep, spawn_named, time};

/// Tell the weather of three towns, every five seconds, for three rounds.
#[derive(Parser)]
#[command(name = "weather", max_term_width = 100)]
struct Args {
    /// Go on until Ctrl-C
    #[arg(long)]
    forever: bool,
}

#[derive(Clone, Copy)]
struct Point {
    lat: f64,
    lon: f64,
    label: &'static str,
}

const POINTS: [Point; 3] = [
    Point { lat: 54.3, lon: 10.1, label: "Kiel" },
    Point { lat: 52.5, lon: 13.4, label: "Berlin" },
    Point { lat: 48.1, lon: 11.6, label: "München" },
];

struct Report {
    label: &'static str,
    temperature: f64,
    description: &'static str,
}

/// Stands in for a service far away, which takes its time to answer.
async fn get_weather(point: Point, round: usize) -> Report {
    sleep(Duration::from_secs_f64(point.lon / 100.0)).await;
    let temperature = 61.0 - point.lat + 0.5 * round as f64;
    let description = ["drizzle", "clouds", "sunshine"][(point.lat as usize + round) % 3];
    Report { label: point.label, temperature, description }
}

async fn produce(point: Point, rounds: usize, queue: Queue<Report>) {
    for round in 0..rounds {
        if round > 0 {
            sleep(Duration::from_secs(5)).await;
        }
        let report = get_weather(point, round).await;
        if queue.put(report).await.is_err() {
            return; // The queue was shut down: nobody wants to know any more.
        }
    }
}

async fn consume(queue: Queue<Report>) {
    while let Ok(report) = queue.get().await {
        println!("{}: {:.1} °C :: {}", report.label, report.temperature, report.description);
        queue.task_done();
    }
}

fn main() {
    let rounds = if Args::parse().forever { usize::MAX } else { 3 };
    oneloop::run(async {
        let start = time();
        let queue = Queue::new(0);
        let consumer = spawn_named("consumer", consume(queue.clone()));
        gather(POINTS.map(|point| produce(point, rounds, queue.clone()))).await;
        queue.join().await;
        consumer.cancel();
        println!("{} reports in {:.1} s", rounds * POINTS.len(), (time() - start).as_secs_f64());
    });
}
