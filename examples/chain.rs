//! One async function awaits another, which awaits another: a chain.
//!
//! `.await` on an async function makes no task. The callee's state becomes part of the caller's, so the chain is
//! one future, and the loop sees one task. A poll of it goes straight down to the innermost `.await` that
//! waits. Here none does: the whole chain is done in a single poll, as plain calls would be.
//!
//! ```text
//! $ cargo run --example chain
//! perform_task: first, result1
//! subtask1: here it is
//! perform_task: now result2, made of it
//! subtask2: here it is
//! ('result1', 'result2 relies on result1')
//! ```
//!
//! `ONELOOP=print cargo run --example chain` shows the one task and its one poll.
//!
//! Read next: `examples/three_stages.rs`, what the same is without `await`.

#![forbid(unsafe_code)]

async fn perform_task() -> (String, String) {
    println!("perform_task: first, result1");
    let result1 = subtask1().await;
    println!("perform_task: now result2, made of it");
    let result2 = subtask2(&result1).await;
    (result1, result2)
}

async fn subtask1() -> String {
    println!("subtask1: here it is");
    "result1".into()
}

async fn subtask2(needed: &str) -> String {
    println!("subtask2: here it is");
    format!("result2 relies on {needed}")
}

fn main() {
    let (result1, result2) = oneloop::run(perform_task());
    println!("('{result1}', '{result2}')");
}
