//! A computation in another process, awaited.
//!
//! A worker process is this program started again. In it `serve`, the first line of `main`, calls the functions it was
//! given by their names, and never returns; in the program it returns at once. What goes to a worker and comes back
//! is bytes, here decimal digits. The loop is free meanwhile, and a worker that crashes costs only its own job.
//!
//! ```text
//! $ cargo run --example factorial
//! the factorial of 25 is 15511210043330985984000000
//! ```
//!
//! Read next: `src/process_pool/mod.rs`, what goes to and fro; `docs/processes-threads-async.md`, when it is worth it.

#![forbid(unsafe_code)]

use oneloop::{ProcessError, ProcessPool};

/// The job, called in a worker. If it panics, whoever awaits it is told so.
fn factorial(input: &[u8]) -> Vec<u8> {
    let digits = std::str::from_utf8(input).expect("a number is text");
    let n: u128 = digits.parse().expect("the text is a number");
    let product: u128 = (1..=n).product();
    product.to_string().into_bytes()
}

async fn main_async() -> Result<(), ProcessError> {
    let pool = ProcessPool::new(1);
    let n = 25;
    let product = pool.run("factorial", n.to_string()).await?;
    println!("the factorial of {n} is {}", String::from_utf8_lossy(&product));
    Ok(())
}

fn main() -> Result<(), ProcessError> {
    ProcessPool::serve(&[("factorial", factorial)]);
    oneloop::run(main_async())
}
