use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use oneloop::trace::{Event, EventKind, Observer};
use oneloop::{EventLoop, sleep};

/// Level and slot of a deadline, both in ticks of 1 ms; `None`: it is due in this very tick.
fn place(now: u64, deadline: u64) -> Option<(u8, u8)> {
    let digit = |tick: u64, level: u32| (tick >> (6 * level)) % 64;
    let level = (0..8).rev().find(|&level| digit(now, level) != digit(deadline, level))?;
    Some((level as u8, digit(deadline, level) as u8))
}

/// Where the loop's own wheel has put its timers.
#[derive(Clone, Default)]
struct Places(Rc<RefCell<Vec<(u8, u8)>>>);

impl Observer for Places {
    fn event(&self, event: &Event) {
        if let EventKind::TimerArm { place, .. } = event.kind {
            self.0.borrow_mut().extend(place);
        }
    }
}

pub fn main() {
    assert_eq!(place(100, 100), None);
    assert_eq!(place(100, 120), Some((0, 56)));
    assert_eq!(place(100, 1_000), Some((1, 15)));
    assert_eq!(place(100, 10_000), Some((2, 2)));

    let places = Places::default();
    let builder = EventLoop::builder().virtual_time().observer(places.clone());
    let event_loop = builder.build().expect("a loop needs three descriptors");
    let mut now = 0;
    let mut expected = Vec::new();
    event_loop.run_until_complete(async {
        for delay in [1, 63, 64, 5_000, 300_000, 86_400_000] {
            expected.extend(place(now, now + delay));
            sleep(Duration::from_millis(delay)).await;
            now += delay;
        }
    });
    assert_eq!(*places.0.borrow(), expected);
}
