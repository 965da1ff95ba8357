//! All lessons, as they are in this executable.

/// A lesson's files.
#[derive(Clone, Copy)]
pub struct Files {
    /// `01-does-calling-run-it`.
    pub slug: &'static str,
    /// The program.
    pub program: &'static str,
    /// The text and the questions: `lesson.rs` reads them.
    pub text: &'static str,
    /// What the program's loop did.
    pub recording: &'static [u8],
}

macro_rules! course {
    ($($slug:literal)*) => {
        &[$(Files {
            slug: $slug,
            program: include_str!(concat!("../../../../docs/lessons/", $slug, "/program.rs")),
            text: include_str!(concat!("../../../../docs/lessons/", $slug, "/lesson.md")),
            recording: include_bytes!(concat!("../../../../docs/lessons/", $slug, "/run.trace")),
        }),*]
    };
}

/// In their order.
pub const COURSE: &[Files] = course! {
    "01-does-calling-run-it"
    "02-does-spawn-run-it-now"
    "03-does-the-loop-keep-asking"
    "04-who-calls-the-waker"
    "05-do-two-awaits-overlap"
    "06-is-a-polled-future-ready"
    "07-is-blocking-fine-in-async"
    "08-is-a-sleep-exact"
    "09-does-pending-mean-asked-again"
    "10-is-waking-oneself-waiting"
    "11-are-three-wakes-three-polls"
    "12-when-does-a-sleep-begin"
    "13-lost-race"
    "14-dropped-handle"
    "15-readable"
    "16-one-edge"
    "17-thread-result"
    "18-full-pool"
    "19-async-crawler"
    "20-lock-order"
    "21-full-channel"
    "22-futurelock"
    "23-kept-aside"
    "24-large-future"
    "25-no-way-given"
    "26-lost-wake"
    "27-first-waker"
    "28-two-sums"
    "29-timeout"
    "30-unheard"
    "31-std-lock"
    "32-call-soon"
    "33-hangs-or-waits"
    "34-nested-loop"
};
