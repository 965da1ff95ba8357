//! A oneshot channel against its model: what was sent, and who asked last.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use oneloop::sync::oneshot;
use proptest::prelude::*;

use crate::{LogWaker, WakeLog, config};

#[derive(Clone, Copy, Debug)]
enum OneshotOp {
    Poll,
    TryRecv,
    Send,
    DropSender,
    DropReceiver,
}

fn oneshot_op() -> impl Strategy<Value = OneshotOp> {
    prop_oneof![
        6 => Just(OneshotOp::Poll),
        2 => Just(OneshotOp::TryRecv),
        2 => Just(OneshotOp::Send),
        1 => Just(OneshotOp::DropSender),
        1 => Just(OneshotOp::DropReceiver),
    ]
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn a_oneshot_does_what_its_model_does(ops in prop::collection::vec(oneshot_op(), 1..12)) {
        let log = WakeLog::default();
        let (sender, receiver) = oneshot::channel();
        let (mut sender, mut receiver) = (Some(sender), Some(receiver));
        // The model: the value under way, whether it was received, and the last poll that was pending.
        let (mut sent, mut received, mut asked, mut polls) = (false, false, None, 0);
        for op in ops {
            let mut woken = Vec::new();
            match op {
                OneshotOp::Poll => {
                    // A receiver that has answered is not polled again: it would panic, as documented.
                    if received || receiver.is_none() {
                        continue;
                    }
                    polls += 1;
                    let waker = Waker::from(Arc::new(LogWaker { log: Arc::clone(&log), me: (0, polls) }));
                    let poll = Pin::new(receiver.as_mut().unwrap()).poll(&mut Context::from_waker(&waker));
                    let expected = match (sent, &sender) {
                        (true, _) => Poll::Ready(Ok(7)),
                        (false, None) => Poll::Ready(Err("closed")),
                        (false, Some(_)) => Poll::Pending,
                    };
                    prop_assert_eq!(poll.map_err(|_| "closed"), expected);
                    received = expected.is_ready();
                    asked = expected.is_pending().then_some((0, polls)).or(asked);
                }
                OneshotOp::TryRecv => {
                    let Some(receiver) = &mut receiver else { continue };
                    let expected = match (received, sent, &sender) {
                        (false, true, _) => Ok(Some(7)),
                        (false, false, Some(_)) => Ok(None),
                        _ => Err("closed"),
                    };
                    prop_assert_eq!(receiver.try_recv().map_err(|_| "closed"), expected);
                    received |= expected == Ok(Some(7));
                }
                OneshotOp::Send => {
                    let Some(sender) = sender.take() else { continue };
                    let expected = if receiver.is_some() { Ok(()) } else { Err(7) };
                    prop_assert_eq!(sender.is_closed(), receiver.is_none());
                    prop_assert_eq!(sender.send(7), expected);
                    sent = receiver.is_some();
                    woken.extend(asked.take());
                }
                OneshotOp::DropSender => {
                    if sender.take().is_some() {
                        woken.extend(asked.take());
                    }
                }
                OneshotOp::DropReceiver => {
                    receiver = None;
                    asked = None;
                }
            }
            prop_assert_eq!(std::mem::take(&mut *log.lock().unwrap()), woken);
        }
    }
}
