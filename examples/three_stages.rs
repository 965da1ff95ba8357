//! Three questions, each made of the last answer: nested callbacks, chained callbacks, one async function.
//!
//! Where is Ada's parcel? Nested callbacks can see all earlier answers, but every stage is a level further in.
//! Chained ones are flat, but a stage has only what it is given, and hands on whatever is needed later. In the
//! async function the answers are local variables, and the stages are lines. All three do the same.
//!
//! ```text
//! $ cargo run --example three_stages
//! nested: Ada is customer 36, parcel 1815 is in Kiel
//! chained: Ada is customer 36, parcel 1815 is in Kiel
//! async: Ada is customer 36, parcel 1815 is in Kiel
//! ```
//!
//! Read next: `src/sync/oneshot.rs`, the bridge from a callback to an `.await`.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::call_later;
use oneloop::sync::oneshot;

/// Asks somebody far away; a tenth of a second later `then` is called with the answer.
fn ask(question: String, then: impl FnOnce(&'static str) + 'static) {
    let answer = match question.as_str() {
        "customer Ada" => "36",
        "parcel for 36" => "1815",
        "place of 1815" => "Kiel",
        _ => "unknown",
    };
    call_later(Duration::from_millis(100), move || then(answer));
}

fn nested(name: &'static str) {
    ask(format!("customer {name}"), move |customer| {
        ask(format!("parcel for {customer}"), move |parcel| {
            ask(format!("place of {parcel}"), move |place| {
                println!("nested: {name} is customer {customer}, parcel {parcel} is in {place}");
            });
        });
    });
}

fn chained(name: &'static str) {
    ask(format!("customer {name}"), move |customer| find_parcel(name, customer));
}

fn find_parcel(name: &'static str, customer: &'static str) {
    ask(format!("parcel for {customer}"), move |parcel| find_place(name, customer, parcel));
}

fn find_place(name: &'static str, customer: &'static str, parcel: &'static str) {
    let report =
        move |place| println!("chained: {name} is customer {customer}, parcel {parcel} is in {place}");
    ask(format!("place of {parcel}"), report);
}

async fn three_stages(name: &str) {
    let customer = answer(format!("customer {name}")).await;
    let parcel = answer(format!("parcel for {customer}")).await;
    let place = answer(format!("place of {parcel}")).await;
    println!("async: {name} is customer {customer}, parcel {parcel} is in {place}");
}

/// The same question as a future: the callback fills in what the task awaits.
async fn answer(question: String) -> &'static str {
    let (sender, receiver) = oneshot::channel();
    ask(question, |answer| {
        // Refused if the task was cancelled meanwhile: then nobody wants the answer.
        let _ = sender.send(answer);
    });
    receiver.await.expect("every question is answered")
}

fn main() {
    oneloop::run(async {
        nested("Ada");
        chained("Ada");
        three_stages("Ada").await;
    });
}
