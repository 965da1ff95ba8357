// The state of a loop after some of its events: the same fold as in src/trace/fold.rs, held to it by a test.
//
// Events are the objects of the trace format. A World takes up one after the other; nothing else goes in. What is in
// its maps is never changed, only replaced, so that a copy of a world is a copy of its maps; only lines, in which thousands
// may wait, are changed in place until there is a copy.
"use strict";

/** Nanoseconds of a slot of the wheel's first level. */
const TICK = 1_000_000;

/** The most waits that are kept of one source. */
const MOST_WAITS = 64;

/** The most tasks whose ends one is known to await. */
const MOST_AWAITS = 4_096;

/** The most holders that are kept of one line. */
const MOST_HOLDERS = 4_096;

/** Which step of the turn a kind of event begins. */
const STEPS = {
  turn_begin: "plan", wait_begin: "wait", wait_end: "wake", timer_fire: "fire",
  poll_begin: "run", callback_begin: "run", turn_end: "outside", loop_end: "outside",
};

class World {
  constructor() {
    this.seq = null; // the number of the last event; null: nothing has happened yet
    this.time = 0;
    this.turn = null;
    this.step = "outside";
    this.waiting = null; // in step 2: [at most so long or null, why]
    this.looked = 0; // when the loop last looked at I/O and timers
    this.ready = new Map(); // by its place: {task} or {callback} or {end: true}, the next one first
    this.places = 0; // the next place
    this.running = null;
    this.heldUp = null; // how long that has held up the loop at least, if it was told that it does
    this.tasks = new Map();
    this.callbacks = new Map();
    this.timers = new Map();
    this.sources = new Map();
    this.jobs = new Map();
    this.threads = new Map(); // by name: the job each is at, or null
    this.lines = new Map(); // what is held or waited for: {what, holders, waiters by ticket}
    this.own = new WeakSet(); // those of them that no copy of this world has
    this.inLine = 0; // how many wait in all lines
    this.spawned = 0;
    this.ended = 0;
    this.end = null; // how the last run ended
    this.runEnd = null; // the place of the mark that a main future left in the queue
  }

  copy() {
    const copy = Object.assign(new World(), this);
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Map) copy[name] = new Map(value);
    }
    [this.own, copy.own] = [new WeakSet(), new WeakSet()];
    return copy;
  }

  /** How much there is in it: what a copy costs. */
  size() {
    const things = this.callbacks.size + this.timers.size + this.sources.size + this.jobs.size;
    return this.tasks.size + things + this.lines.size + this.inLine + this.ready.size;
  }

  /** Takes up the next event. Kinds that are not known change nothing but the time. */
  apply(event) {
    this.seq = event.n;
    // What is told of other threads happened a little earlier.
    this.time = Math.max(this.time, event.t);
    this.step = STEPS[event.k] ?? this.step;
    const take = Object.hasOwn(TAKES, event.k) ? TAKES[event.k] : null;
    if (take) take(this, event);
  }

  /** Joins the ready queue; returns the place. */
  push(entry) {
    this.ready.set(this.places, entry);
    return this.places++;
  }

  /** A task with some of it changed; one that is heard of for the first time stands so. */
  change(id, stand, changes) {
    const known = this.tasks.get(id) ?? found(id, stand, this.time);
    const task = { ...known, ...changes(known) };
    this.tasks.set(id, task);
    return task;
  }

  /** A line, to be changed. */
  line(id) {
    const known = this.lines.get(id) ?? { what: null, holders: [], waiters: new Map() };
    if (this.own.has(known)) return known;
    const line = { ...known, holders: [...known.holders], waiters: new Map(known.waiters) };
    this.own.add(line);
    this.lines.set(id, line);
    return line;
  }

  /** Somebody has left a line: one that nobody holds or waits for is forgotten. */
  tidy(id) {
    const line = this.lines.get(id);
    if (!line.holders.length && !line.waiters.size) this.lines.delete(id);
  }

  /** Takes a callback out, and out of the queue. */
  takeCallback(id) {
    const known = this.callbacks.get(id);
    if (known && known.place !== null) this.ready.delete(known.place);
    this.callbacks.delete(id);
  }
}

/** A task that is heard of for the first time. */
function found(id, stand, time) {
  return {
    name: `task-${id}`, by: "loop", site: null, stand, since: time, suspended: null, wakers: 0, polls: 0,
    woken: null, cancelled: false, handle: "held", busy: 0, queued: 0, waited: 0, frames: null,
    awaits: [], lost: false, again: false, place: null,
  };
}

/** The changes that make a task stand otherwise; the time until now is counted. */
function turned(task, stand, time) {
  const counter = { ready: "queued", running: "busy", suspended: "waited" }[task.stand];
  return { stand, since: time, [counter]: task[counter] + Math.max(0, time - task.since) };
}

/** Whether a task is the main future of a run. */
function isMain(task) {
  return task.name === "main" && task.by === "loop";
}

/** Puts a changed value in the place of the one that is there, if there is one. */
function replace(map, id, changes) {
  const known = map.get(id);
  if (known) map.set(id, { ...known, ...changes(known) });
}

/** What each kind of event does to a world. */
const TAKES = {
  turn_begin(world, event) {
    world.turn = event.turn;
    world.end = null;
  },
  wait_begin(world, event) {
    world.waiting = [event.timeout ?? null, event.why];
  },
  wait_end(world) {
    world.waiting = null;
    world.looked = world.time;
  },
  clock_jump(world, event) {
    world.time = Math.max(world.time, event.to);
  },
  held_up(world, event) {
    world.heldUp = event.took;
  },
  loop_end(world, event) {
    world.end = event.why;
    world.running = null;
    if (world.runEnd !== null) world.ready.delete(world.runEnd);
    world.runEnd = null;
  },

  callback_new(world, { callback, at = null, by, site }) {
    const place = at === null ? world.push({ callback }) : null;
    // A recording may say twice what happens once.
    world.ready.delete(world.callbacks.get(callback)?.place);
    world.callbacks.set(callback, { by, site, at, place });
  },
  callback_begin(world, { callback }) {
    [world.running, world.heldUp] = [{ callback }, null];
    world.takeCallback(callback);
  },
  callback_end(world) {
    [world.running, world.heldUp] = [null, null];
  },
  callback_cancel(world, { callback }) {
    world.takeCallback(callback);
  },

  spawn(world, { task, name, by, site, n }) {
    const place = world.push({ task });
    // A recording may say twice what happens once.
    world.ready.delete(world.tasks.get(task)?.place);
    world.tasks.set(task, { ...found(task, "ready", world.time), name, by, site, woken: [n, by], place });
    world.spawned += 1;
  },
  wake(world, { task, by, effect, n }) {
    if (effect !== "queued" && effect !== "while_running") return;
    const place = world.push({ task });
    world.change(task, "suspended", (known) => {
      // A recording may say twice what happens once.
      if (known.place !== null) world.ready.delete(known.place);
      const stands = known.stand === "running" ? { again: true } : turned(known, "ready", world.time);
      return { ...stands, woken: [n, by], place };
    });
  },
  poll_begin(world, { task, poll }) {
    [world.running, world.heldUp] = [{ task }, null];
    world.change(task, "ready", (known) => {
      if (known.place !== null) world.ready.delete(known.place);
      return { ...turned(known, "running", world.time), polls: poll, awaits: [], place: null };
    });
  },
  poll_end(world, { task, suspended = null, wakers }) {
    [world.running, world.heldUp] = [null, null];
    world.change(task, "running", (known) => {
      // After its last poll a task is not suspended: its end comes next.
      const stand = known.again ? "ready" : suspended ? "suspended" : "running";
      // A future that does not say where it waits has no chain either.
      const frames = suspended?.[1] === undefined ? null : known.frames;
      return { ...turned(known, stand, world.time), again: false, wakers, frames, suspended: suspended ?? known.suspended };
    });
  },
  chain(world, { task, frames }) {
    world.change(task, "running", () => ({ frames }));
  },
  cancel(world, { task }) {
    world.change(task, "suspended", () => ({ cancelled: true }));
  },
  join_wait(world, { task, by }) {
    if (by.task === undefined) return;
    world.change(by.task, "running", ({ awaits }) =>
      awaits.length >= MOST_AWAITS || awaits.includes(task) ? {} : { awaits: [...awaits, task] });
  },
  lost(world, { task }) {
    world.change(task, "suspended", () => ({ lost: true }));
  },
  handle_drop(world, { task }) {
    replace(world.tasks, task, () => ({ handle: "dropped" }));
  },
  task_end(world, { task, outcome }) {
    const known = world.tasks.get(task);
    if (!known) return;
    world.tasks.delete(task);
    world.ended += 1;
    if (known.place !== null) world.ready.delete(known.place);
    // The mark behind which the run ends. A main future that was dropped left none.
    if (isMain(known) && outcome !== "cancelled" && world.runEnd === null) {
      world.runEnd = world.push({ end: true });
    }
  },

  line_wait(world, { line, ticket, wait, by, site, n }) {
    const known = world.line(line);
    const waiter = known.waiters.get(ticket);
    known.what = wait;
    // A future may be polled again and again while it waits.
    const same = waiter && waiter.granted === null && sameActor(waiter.by, by);
    known.waiters.set(ticket, same ? { ...waiter, site } : { wait, by, site, seq: n, since: world.time, granted: null });
    if (!waiter) world.inLine += 1;
  },
  line_grant(world, { line, ticket, n }) {
    const waiter = world.lines.get(line)?.waiters.get(ticket);
    if (waiter) world.line(line).waiters.set(ticket, { ...waiter, granted: n });
  },
  line_leave(world, { line, ticket }) {
    if (!world.lines.has(line)) return;
    if (world.line(line).waiters.delete(ticket)) world.inLine -= 1;
    world.tidy(line);
  },
  permit_take(world, { line, by }) {
    const { holders } = world.line(line);
    if (holders.length < MOST_HOLDERS) holders.push(by);
  },
  permit_release(world, { line, by }) {
    if (!world.lines.has(line)) return;
    const { holders } = world.line(line);
    // Of whoever gives it back, or the oldest: a permit may be handed on.
    holders.splice(Math.max(0, holders.findIndex((holder) => sameActor(holder, by))), 1);
    world.tidy(line);
  },

  timer_arm(world, { timer, callback = null, by, at, n }) {
    world.timers.set(timer, { by, callback, at, armed: n });
  },
  timer_fire(world, { timer, callback }) {
    world.timers.delete(timer);
    const known = world.callbacks.get(callback);
    if (known && known.place === null) {
      world.callbacks.set(callback, { ...known, place: world.push({ callback }) });
    }
  },
  timer_cancel(world, { timer }) {
    world.timers.delete(timer);
  },

  io_open(world, { source, what, by, site }) {
    world.sources.set(source, { what, by, site, waits: [], last: null, closed: false });
  },
  io_interest(world, { source, wait, by }) {
    replace(world.sources, source, ({ waits }) => {
      const known = waits.some(([what, who]) => what === wait && sameActor(who, by));
      return known || waits.length >= MOST_WAITS ? {} : { waits: [...waits, [wait, by]] };
    });
  },
  io_ready(world, { source, readable, writable, closed }) {
    replace(world.sources, source, (known) => ({
      closed: known.closed || Boolean(closed),
      waits: known.waits.filter(([wait]) => !(wait === "writable" || wait === "connect" ? writable : readable)),
    }));
  },
  io_forget(world, { source, wait, by }) {
    replace(world.sources, source, ({ waits }) => ({ waits: waits.filter(([what, who]) => what !== wait || !sameActor(who, by)) }));
  },
  io_op(world, { source, op, result }) {
    replace(world.sources, source, () => ({ last: [op, result] }));
  },
  io_close(world, { source }) {
    world.sources.delete(source);
  },

  job_new(world, { job, by, site, t }) {
    world.jobs.set(job, { by, site, stand: "queued", thread: null, since: t, abandoned: false });
  },
  job_start(world, { job, th = null, t }) {
    if (th !== null) world.threads.set(th, job);
    replace(world.jobs, job, () => ({ stand: "running", thread: th, since: t }));
  },
  job_end(world, { job, th, t }) {
    if (world.threads.has(th)) world.threads.set(th, null);
    replace(world.jobs, job, () => ({ stand: "ended", thread: null, since: t }));
    if (world.jobs.get(job)?.abandoned) world.jobs.delete(job);
  },
  job_deliver(world, { job }) {
    world.jobs.delete(job);
  },
  job_abandon(world, { job }) {
    // One that has started runs on.
    if (world.jobs.get(job)?.stand === "running") replace(world.jobs, job, () => ({ abandoned: true }));
    else world.jobs.delete(job);
  },
  thread_start(world, { thread }) {
    if (!world.threads.has(thread)) world.threads.set(thread, null);
  },
  thread_exit(world, { thread }) {
    world.threads.delete(thread);
  },
};

/** Whether two are one: words, or objects with one field each. */
function sameActor(one, other) {
  if (typeof one === "string" || typeof other === "string") return one === other;
  const [sort] = Object.keys(one);
  return Object.hasOwn(other, sort) && one[sort] === other[sort];
}

/**
 * The level and slot of the wheel where a timer that is due `at` lies, if the loop last looked at `looked`; null: it is
 * due within this tick. The highest digit in base 64 in which the ticks differ.
 */
function slot(at, looked) {
  let [due, now] = [Math.floor(at / TICK), Math.floor(looked / TICK)];
  if (due <= now) return null;
  let found = null;
  for (let level = 0; due > 0; level += 1) {
    if (due % 64 !== now % 64) found = [level, due % 64];
    [due, now] = [Math.floor(due / 64), Math.floor(now / 64)];
  }
  return found;
}

/** How many events lie at least between two copies of the world. */
const INTERVAL = 1_000;

/** A run, gone through forwards and backwards: the world after the first `at` of its events. */
class History {
  constructor(events, begin = new World()) {
    this.events = events;
    this.begin = begin; // how things stood before the first of them
    this.at = 0;
    this.world = begin.copy();
    this.copies = []; // [at, world], by increasing `at`
  }

  /** Goes to the moment after the first `at` events, from the nearest moment before it that is known. */
  go(at) {
    at = Math.max(0, Math.min(at, this.events.length));
    let copy = null;
    for (const known of this.copies) if (known[0] <= at) copy = known;
    if (at < this.at || (copy && copy[0] > this.at)) {
      [this.at, this.world] = copy ? [copy[0], copy[1].copy()] : [0, this.begin.copy()];
    }
    while (this.at < at) {
      this.world.apply(this.events[this.at]);
      this.at += 1;
      const last = this.copies.at(-1)?.[0] ?? 0;
      if (this.at >= last + Math.max(INTERVAL, this.world.size())) this.copies.push([this.at, this.world.copy()]);
    }
    return this.world;
  }
}
