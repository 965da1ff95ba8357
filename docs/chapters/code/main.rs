//! The programs of the book, `docs/chapters/`, and the solutions of its exercises.
//!
//! ```text
//! $ cargo run --example book -- list
//! $ ONELOOP=print,virtual cargo run --example book -- callbacks
//! ```

#![forbid(unsafe_code)]

use std::process::ExitCode;

mod blocking;
mod by_hand;
mod callbacks;
mod cancel;
mod crawler;
mod http;
mod pool;
mod reactor;
mod solved;
mod turn;
mod waker;
mod wheel;

/// By the name of the file.
const PROGRAMS: &[(&str, fn())] = &[
    ("blocking", blocking::main),
    ("callbacks", callbacks::main),
    ("by_hand", by_hand::main),
    ("waker", waker::main),
    ("turn", turn::main),
    ("wheel", wheel::main),
    ("reactor", reactor::main),
    ("pool", pool::main),
    ("cancel", cancel::main),
    ("http", http::main),
    ("crawler", crawler::main),
    ("solved/blocking", solved::blocking::main),
    ("solved/callbacks", solved::callbacks::main),
    ("solved/by_hand", solved::by_hand::main),
    ("solved/waker", solved::waker::main),
    ("solved/turn", solved::turn::main),
    ("solved/wheel", solved::wheel::main),
    ("solved/reactor", solved::reactor::main),
    ("solved/pool", solved::pool::main),
    ("solved/cancel", solved::cancel::main),
    ("solved/http", solved::http::main),
    ("solved/crawler", solved::crawler::main),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted == "list" {
        PROGRAMS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let Some((_, program)) = PROGRAMS.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("there is no program {wanted:?}; `list` lists them");
        return ExitCode::FAILURE;
    };
    program();
    ExitCode::SUCCESS
}
