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
    "13-what-does-a-lost-race-leave"
    "14-who-stops-a-dropped-task"
    "15-does-readable-mean-all-is-there"
    "16-is-readiness-told-again"
    "17-how-does-a-result-come-back"
    "18-how-many-calls-block-at-once"
    "19-is-an-async-crawler-fast"
    "20-can-tasks-lock-each-other-out"
    "21-who-makes-room-in-a-queue"
    "22-can-a-future-hold-a-lock"
    "23-do-futures-go-on-alone"
    "24-how-large-is-a-future"
    "25-does-every-await-give-way"
    "26-can-a-wake-come-too-early"
    "27-is-the-first-waker-enough"
    "28-do-two-sums-overlap"
    "29-does-a-timeout-stop-the-work"
    "30-who-hears-of-a-panic"
    "31-may-a-std-lock-cross-an-await"
    "32-can-a-callback-starve-others"
    "33-does-it-hang-or-wait"
    "34-may-a-task-run-a-loop"
};
