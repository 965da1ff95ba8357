//! An event against its model: a flag and a line.

use oneloop::sync::Event;
use proptest::prelude::*;

use crate::{Hall, Line, Stage, config};

#[derive(Clone, Copy, Debug)]
enum EventOp {
    Wait,
    Poll(usize),
    Cancel(usize),
    Set,
    Clear,
}

fn event_op() -> impl Strategy<Value = EventOp> {
    prop_oneof![
        5 => Just(EventOp::Wait),
        5 => any::<usize>().prop_map(EventOp::Poll),
        2 => any::<usize>().prop_map(EventOp::Cancel),
        2 => Just(EventOp::Set),
        2 => Just(EventOp::Clear),
    ]
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn an_event_does_what_its_model_does(ops in prop::collection::vec(event_op(), 1..60)) {
        let event = Event::new();
        let mut hall: Hall<'_, ()> = Hall::new();
        let (mut set, mut line) = (false, Line::default());
        for op in ops {
            let mut woken = Vec::new();
            match op {
                EventOp::Wait => {
                    let (id, poll) = hall.start(event.wait());
                    prop_assert_eq!(poll.is_ready(), set);
                    if !set {
                        line.join(id);
                    }
                }
                EventOp::Poll(random) => {
                    if let Some(at) = hall.pick(random) {
                        let (_, polls, stage) = line.stage(hall.waiting[at].id).unwrap();
                        *polls += 1;
                        let released = *stage == Stage::Granted;
                        if released {
                            line.leave(hall.waiting[at].id);
                        }
                        prop_assert_eq!(hall.poll(at).is_ready(), released);
                    }
                }
                EventOp::Cancel(random) => {
                    if let Some(at) = hall.pick(random) {
                        line.leave(hall.waiting.remove(at).id);
                    }
                }
                EventOp::Set => {
                    event.set();
                    set = true;
                    woken.extend(std::iter::from_fn(|| line.advance(Stage::Granted)));
                }
                EventOp::Clear => {
                    event.clear();
                    set = false;
                }
            }
            prop_assert_eq!(hall.woken(), woken);
            prop_assert_eq!(event.is_set(), set);
        }
    }
}
