//! Chapter 24, part 6: which of many tasks have ended?
//!
//! Asking a thousand handles at each wake whether their task has ended would be a million questions. Here each
//! task says it itself, once, when it ends: its number is put on a board, in the order of the ends, and whoever
//! waits reads on from where it stopped. That is a constant time for each end.
//!
//! ```text
//!   tasks 0 1 2 3         board              read so far
//!   2 ends           ──▶  2                  –        wakes whoever waits
//!   0 ends           ──▶  2 0                –        it is woken already
//!                         2 0                2 0      polled: two ends, in their order
//! ```
//!
//! The handles are not awaited. So dropping them leaves their tasks to themselves, which is what asyncio's
//! `wait` and `as_completed` do.
//!
//! Before: `combine/shield.rs`. Next: `combine/wait.rs`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::Context;

use crate::join::JoinHandle;
use crate::kept::Kept;
use crate::ready::Entry;
use crate::state::Listener;

/// The handles of several tasks, and the order in which the tasks end.
pub(super) struct Several<T> {
    /// By number; `None` for one that was taken.
    handles: Vec<Option<JoinHandle<T>>>,
    /// How many ends were read off the board.
    read: usize,
    board: Rc<Board>,
}

/// Where the tasks say that they have ended.
struct Board {
    /// The numbers of tasks that have ended, in that order.
    ended: RefCell<Vec<usize>>,
    /// How many have not.
    running: Cell<usize>,
    /// Wake once there are so few left.
    wake_at: Cell<usize>,
    /// Whoever waits; `None`: nobody, or it was woken.
    waker: RefCell<Option<Kept>>,
}

impl Listener for Board {
    fn ended(&self, number: usize) {
        self.ended.borrow_mut().push(number);
        self.running.set(self.running.get() - 1);
        if self.running.get() <= self.wake_at.get() {
            let waker = self.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn waits(&self) -> Option<Entry> {
        self.waker.borrow().as_ref().and_then(Kept::entry)
    }
}

impl<T> Several<T> {
    /// Those that have ended already are on the board first, in their order here.
    pub(super) fn new(handles: impl IntoIterator<Item = JoinHandle<T>>) -> Several<T> {
        let handles: Vec<_> = handles.into_iter().collect();
        let board = Rc::new(Board {
            ended: RefCell::default(),
            running: Cell::new(handles.len()),
            wake_at: Cell::new(handles.len()),
            waker: RefCell::default(),
        });
        let listener: Rc<dyn Listener> = Rc::<Board>::clone(&board);
        for (number, handle) in handles.iter().enumerate() {
            if !handle.listen(&listener, number) {
                board.ended(number);
            }
        }
        Several { handles: handles.into_iter().map(Some).collect(), read: 0, board }
    }

    /// How many tasks have not ended.
    pub(super) fn running(&self) -> usize {
        self.board.running.get()
    }

    /// How many ends can be read off the board.
    pub(super) fn unread(&self) -> usize {
        self.board.ended.borrow().len() - self.read
    }

    /// The task whose end is next on the board.
    pub(super) fn read(&mut self) -> Option<usize> {
        let number = self.board.ended.borrow().get(self.read).copied();
        self.read += usize::from(number.is_some());
        number
    }

    /// A handle, unless it was taken.
    pub(super) fn handle(&self, number: usize) -> Option<&JoinHandle<T>> {
        self.handles[number].as_ref()
    }

    /// Takes a handle out.
    pub(super) fn take(&mut self, number: usize) -> Option<JoinHandle<T>> {
        self.handles[number].take()
    }

    /// Has `cx` woken at the next end that leaves at most `running` tasks.
    pub(super) fn wake_at(&self, running: usize, cx: &Context<'_>) {
        self.board.wake_at.set(running);
        let waker = self.board.waker.replace(Some(Kept::new(cx.waker())));
        drop(waker);
    }

    /// Takes the handles of ended tasks, in the order of their ends, and then the others.
    pub(super) fn split(&mut self) -> (Vec<JoinHandle<T>>, Vec<JoinHandle<T>>) {
        self.stop_listening();
        let ended = self.board.ended.take();
        let done = ended.into_iter().filter_map(|number| self.handles[number].take()).collect();
        (done, self.handles.drain(..).flatten().collect())
    }

    fn stop_listening(&self) {
        let listener: Rc<dyn Listener> = Rc::<Board>::clone(&self.board);
        if self.running() > 0 {
            self.handles.iter().flatten().for_each(|handle| handle.unlisten(&listener));
        }
    }
}

impl<T> Drop for Several<T> {
    fn drop(&mut self) {
        self.stop_listening();
    }
}

impl<T> fmt::Debug for Several<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.handles.iter().flatten()).finish()
    }
}
