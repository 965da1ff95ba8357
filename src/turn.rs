//! Chapter 21: the turn.
//!
//! An event loop does one thing over and over. What can be waiting for it, and who ends the wait:
//!
//! ```text
//!   a task woken here, call_soon ──▶ ready queue            nothing to wait for
//!   sleep, call_later ─────────────▶ timer wheel            the time runs out
//!   a socket would block ──────────▶ reactor                the operating system reports an edge
//!   spawn_blocking, another thread ▶ remote queue           notify
//!
//!        ┌──────────────────────────── one turn ───────────────────────────┐
//!        │ 1 plan    how long may we wait?  0 if anything is ready          │
//!        │ 2 wait    block in the reactor: I/O, notify, or time runs out    │
//!        │ 3 wake    sources that became ready → their tasks join the queue │
//!        │ 4 fire    timers that are due → wake a task or queue a callback  │
//!        │ 5 run     take the queue as it is now; poll / call each once     │
//!        └──────────────────────────────────────────────────────────────────┘
//!   made ready during step 5 → waits for the next turn, after another look at I/O
//! ```
//!
//! The order is that of asyncio's `_run_once`. Step 5 runs what is in the queue when it starts and no more:
//! that is what keeps tasks that wake each other, or themselves, from shutting out everything else.
//!
//! The main future of `run_until_complete` is polled as one more task. When it has ended, a mark is put at
//! the end of the queue, and the run ends after the turn in which the mark comes up. So whatever was made
//! ready before the main future ended still has its turn, as in asyncio.
//!
//! Before: `main_future.rs`. Next: `event_loop.rs`, the loop as a program sees it.

use std::cell::{Cell, RefCell};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::reactor::Target;
use crate::ready::Entry;
use crate::sent::Sent;
use crate::state::{Main, State, until};
use crate::tasks::Slot;
use crate::timer::clock::WaitedOutside;
use crate::timer::wheel::TimerKey;
use crate::trace::event::{Actor, EventKind, WaitReason};
use crate::trace::observer::{Choice, Decision, Ready};

/// What runs a loop's turns.
pub(crate) struct Turns {
    state: Rc<State>,
    /// Turns begun while somebody watched.
    begun: Cell<u64>,
    /// In virtual time: how long the loop has waited for the world outside since its time last moved.
    waited: RefCell<WaitedOutside>,
    /// Whether the loop has said that it can never go on, since it last ran anything.
    warned: Cell<bool>,
    /// What it said, if that ended the run.
    stuck: RefCell<Option<Arc<str>>>,
    /// Lists that one turn fills and empties, kept for their memory.
    scratch: RefCell<Scratch>,
}

#[derive(Default)]
struct Scratch {
    targets: Vec<Target>,
    fired: Vec<(TimerKey, Target)>,
    sent: Vec<Sent>,
}

/// What step 1 decided.
enum Plan {
    /// Wait, at most so long (`None`: without limit).
    Wait(Option<Duration>, WaitReason),
    /// Virtual time: look at I/O without waiting, then move the clock to this deadline.
    Jump(u64),
}

impl Turns {
    pub(crate) fn new(state: Rc<State>) -> Turns {
        let (waited, stuck, scratch) = (RefCell::default(), RefCell::default(), RefCell::default());
        Turns { state, begun: Cell::new(0), waited, warned: Cell::new(false), stuck, scratch }
    }

    /// Turns until something stops the loop.
    ///
    /// One catch of panics around all turns costs less than one around each poll. After a panic the turn that it
    /// came from goes on with what is left of it.
    pub(crate) fn run(&self, mut main: Option<&mut dyn Main>) {
        let turns = if self.state.seam.watched() { Turns::turns_watched } else { Turns::turns };
        let mut resumed = false;
        while let Err(payload) = catch_unwind(AssertUnwindSafe(|| turns(self, &mut main, resumed))) {
            self.state.end_panicked(&mut main, payload);
            resumed = true;
        }
    }

    /// `resumed`: a panic came out of a turn, which goes on with what is left of it.
    fn turns(&self, main: &mut Option<&mut dyn Main>, mut resumed: bool) {
        let state = &*self.state;
        loop {
            if !mem::take(&mut resumed) {
                // 1 plan, 2 wait, 3 wake, 4 fire
                self.look(self.plan());
                state.begin_step_5();
            }
            self.run_ready(main);
            if state.stopping.replace(false) {
                return;
            }
        }
    }

    /// Step 5: each entry that was in the queue at the begin of the step, once. And more turns, as long as they may
    /// leave out all other steps.
    #[inline(always)]
    fn run_ready(&self, main: &mut Option<&mut dyn Main>) {
        let state = &*self.state;
        let mut slots = state.tasks.slots();
        loop {
            self.run_turns(state, &slots, main);
            if !self.may_hurry() {
                break;
            }
            state.begin_step_5();
            // There may be more of them by now.
            drop(slots);
            slots = state.tasks.slots();
        }
        state.nobody_is_polled();
    }

    /// The same, until something has to be asked before the next turn, or nothing is ready.
    #[inline(always)]
    fn run_turns(&self, state: &State, slots: &[Slot], main: &mut Option<&mut dyn Main>) {
        loop {
            // 5 run
            while let Some(entry) = state.ready.next() {
                match slots.get(entry.place()) {
                    Some(slot) => state.run_task(slot, entry, main),
                    // A callback: its place is beyond all slots.
                    None => self.run_callback(entry),
                }
            }
            if state.ready.is_empty() {
                match state.go_on_with_burst() {
                    true => continue,
                    false => return,
                }
            }
            // 1 plan
            if !state.asks_nothing() {
                return;
            }
            state.begin_step_5();
        }
    }

    /// Step 1 in a hurry: whether there is a next turn, and it may do without a look at the world outside.
    fn may_hurry(&self) -> bool {
        !self.state.ready.is_empty() && (self.state.asks_nothing() || self.ask())
    }

    /// The same where something has to be asked: the clock, and, if there is time, whether another thread has sent.
    #[cold]
    fn ask(&self) -> bool {
        let (state, hurries) = (&*self.state, self.state.may_skip());
        if hurries && state.remote.is_pending() {
            state.nobody_is_polled();
            state.fetch_sent(&mut self.scratch.borrow_mut().sent);
        }
        hurries
    }

    #[inline(never)] // It is apart from the polls.
    fn run_callback(&self, entry: Entry) {
        match entry {
            Entry::MAIN_DONE => self.state.stop_after_turn(),
            _ => self.state.run_callback(entry),
        }
    }

    /// The same while somebody watches, and may choose what runs next. No panic comes out of a poll here.
    #[cold]
    fn turns_watched(&self, main: &mut Option<&mut dyn Main>, _: bool) {
        let state = &*self.state;
        // The first turn looks: it may have been a while since the last one of the run before.
        state.pace.look_next();
        loop {
            let turn = self.begin_watched_turn();
            if !self.may_hurry() {
                self.look(self.plan());
            }
            state.seam.go_on();
            let entries = state.begin_step_5();
            self.run_watched(&state.tasks.slots(), main);
            self.warned.set(self.warned.get() && entries == 0);
            state.tell_still(|| EventKind::TurnEnd { turn, ready: state.ready.to_run() });
            state.seam.go_on();
            if state.stopping.replace(false) {
                return;
            }
        }
    }

    /// Steps 2 to 4: looks at the world outside. Kept apart from the turns that may leave it out.
    #[inline(never)]
    fn look(&self, plan: Plan) {
        let scratch = &mut *self.scratch.borrow_mut();
        let Some(now) = self.wait(plan) else {
            return self.state.fetch_sent(&mut scratch.sent);
        };
        self.state.wake_ready(now, &mut scratch.targets);
        self.state.fetch_sent(&mut scratch.sent);
        self.state.fire(now, &mut scratch.fired);
        self.state.note_look(now);
    }

    /// Step 1: how long may step 2 wait?
    fn plan(&self) -> Plan {
        let state = &*self.state;
        if !state.ready.is_empty() || state.stopping.get() {
            return Plan::Wait(Some(Duration::ZERO), WaitReason::ReadyWork);
        }
        let Some(at) = state.next_deadline() else { return self.plan_without_timers() };
        // As long as a socket or a job may have something to say, virtual time passes as real time does.
        if state.clock.is_virtual() && state.jobs() == 0 && !state.waits_for_io() {
            return Plan::Jump(at);
        }
        let (_, left) = self.next_timer(at);
        Plan::Wait(Some(left), WaitReason::NextTimer)
    }

    /// The deadline that comes next, and in how long; `at` is the earliest.
    fn next_timer(&self, at: u64) -> (u64, Duration) {
        let (state, waited) = (&*self.state, self.waited.borrow());
        let by_waiting = if waited.is_nothing() { None } else { state.next_by_waiting(&waited) };
        by_waiting.unwrap_or_else(|| (at, until(state.clock.now(), at)))
    }

    /// Only the world outside can end the wait; where it cannot either, the loop says so, instead of hanging in
    /// silence. Virtual time ends the run: it knows what there is. In real time it says so once and waits.
    #[cold]
    fn plan_without_timers(&self) -> Plan {
        let forever = Plan::Wait(None, WaitReason::Forever);
        if self.state.can_go_on() {
            return forever;
        }
        let fatal = self.state.clock.is_virtual();
        if !fatal && self.warned.replace(true) {
            return forever;
        }
        let report = self.state.tell_stuck(fatal);
        if !fatal {
            return forever;
        }
        self.stuck.replace(Some(report));
        self.state.stopping.set(true);
        Plan::Wait(Some(Duration::ZERO), WaitReason::ReadyWork)
    }

    /// Why the run that has just ended could not go on; `None`: it ended in another way.
    pub(crate) fn take_stuck(&self) -> Option<Arc<str>> {
        self.stuck.take()
    }

    /// Step 2: waits as planned; returns the time it is then. `None`: another thread has sent something, and that is all
    /// that was looked at.
    fn wait(&self, plan: Plan) -> Option<u64> {
        let state = &*self.state;
        let (timeout, why) = match plan {
            Plan::Wait(timeout, why) => (timeout, why),
            Plan::Jump(_) => (Some(Duration::ZERO), WaitReason::NextTimer),
        };
        // To the program a jump is a wait like any other.
        let planned = match plan {
            Plan::Jump(at) => Some(until(state.clock.now(), at)),
            Plan::Wait(..) => timeout,
        };
        state.tell_still(|| EventKind::WaitBegin { timeout: planned, why });
        state.seam.now();
        let decided = self.decide_wait(planned);
        let began = state.clock.is_virtual().then(Instant::now);
        let exactly = if why == WaitReason::NextTimer { state.exact_deadline() } else { None };
        if !state.block(if decided { Some(Duration::ZERO) } else { timeout }, exactly) {
            return None;
        }
        match plan {
            _ if decided => {}
            // Another thread may have sent something meanwhile, which comes first.
            Plan::Jump(at) if !state.remote.is_pending() => self.jump(at),
            Plan::Wait(Some(limit), WaitReason::NextTimer) => {
                if let Some(began) = began {
                    self.pass(began.elapsed(), limit);
                }
            }
            _ => {}
        }
        let now = state.clock.now();
        state.seam.still(Duration::from_nanos(now));
        Some(now)
    }

    /// Virtual time passes as real time does, though in one step: when what was waited since a timer was armed adds up to the
    /// time until then. So a loop that is woken early, again and again, still comes to its timers. The clock then stands at
    /// that timer's very time; one that was armed meanwhile may be passed over, and fires with it.
    fn pass(&self, elapsed: Duration, limit: Duration) {
        if elapsed < limit {
            return self.waited.borrow_mut().add(elapsed, self.state.latest_timer());
        }
        if let Some(earliest) = self.state.next_deadline() {
            let (at, _) = self.next_timer(earliest);
            self.jump(at);
        }
    }

    fn jump(&self, to: u64) {
        let from = self.state.moment();
        self.waited.take();
        self.state.clock.jump(to);
        if self.state.moment() > from {
            self.state.tell(|| EventKind::ClockJump { from, to: Duration::from_nanos(to) });
        }
    }

    /// An observer may have the clock moved, or a task cancelled, instead of the wait; whether it has.
    fn decide_wait(&self, timeout: Option<Duration>) -> bool {
        let seam = &self.state.seam;
        seam.watched()
            && timeout != Some(Duration::ZERO)
            && self.carry_out(seam.decide(&Choice::Time(timeout)))
    }

    /// Does what an observer wants done between two steps; whether there was anything to do.
    #[cold]
    fn carry_out(&self, decision: Decision) -> bool {
        let state = &*self.state;
        match decision {
            Decision::Advance(by) => {
                let from = state.moment();
                state.clock.advance(by);
                state.tell(|| EventKind::ClockJump { from, to: state.moment() });
                true
            }
            Decision::Cancel(task) => {
                let entry = state.tasks.find(task);
                let cancel = || entry.is_some_and(|entry| state.cancel(entry));
                state.seam.act_as(Actor::Observer, None, cancel)
            }
            _ => false,
        }
    }

    /// Step 5 while somebody watches.
    fn run_watched(&self, slots: &[Slot], main: &mut Option<&mut dyn Main>) {
        let decided = self.state.seam.decided();
        let rest = if decided { self.state.ready.rest() } else { Vec::new() };
        let mut choices: Vec<Ready> = rest.into_iter().map(State::ready_of).collect();
        for done in 0.. {
            self.decide_next(choices.get_mut(done..).unwrap_or_default());
            let ready = &self.state.ready;
            let Some(entry) = ready.next().or_else(|| ready.more().and_then(|_| ready.next())) else {
                return;
            };
            match slots.get(entry.place()) {
                Some(slot) => self.state.run_task_watched(slot, entry, main),
                None => self.run_callback(entry),
            }
            self.state.seam.go_on();
        }
    }

    /// An observer may choose among the entries left in this turn.
    #[cold]
    fn decide_next(&self, left: &mut [Ready]) {
        if left.len() < 2 {
            return;
        }
        let Decision::Run(index) = self.state.seam.decide(&Choice::Next(left)) else { return };
        if let Some(moved) = left.get_mut(..=index) {
            moved.rotate_right(1);
            self.state.ready.bring_forward(index);
        }
    }

    /// Tells of it; returns its number.
    fn begin_watched_turn(&self) -> u64 {
        let state = &*self.state;
        let turn = self.begun.get();
        self.begun.set(turn + 1);
        state.tell_still(|| EventKind::TurnBegin {
            turn,
            ready: state.ready.to_run(),
            timers: state.timers(),
            sources: state.sources(),
            jobs: state.jobs(),
        });
        self.carry_out(state.seam.decide(&Choice::Turn(turn)));
        turn
    }
}
