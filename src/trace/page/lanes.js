// A run as lanes: who did what from which event to which, found once, to be drawn in any part and at any scale.
//
//   loop      │ wait    │        │ wait
//   task 0    │ run │ suspended, waiting for a sleep  │ ready │ run │
//   thread    │      │ job
//
// A span goes from one event to another, by their indices. `run`, `wait` and `job` end with their last event, the others
// before the event that ends them.

class Lane {
  constructor(sort, id, name, born) {
    this.sort = sort; // "loop", "thread" or "task"
    this.id = id;
    this.name = name;
    this.born = born;
    this.end = Infinity; // the index of the event it ended with
    this.outcome = null;
    this.spans = []; // {kind, from, to, wait?, text?}, one after the other
    this.again = false; // woken while it was running
  }

  /** Ends the span that is open, and begins another, if there is one. */
  turn(at, next) {
    const open = this.spans.at(-1);
    if (open && open.to === Infinity) open.to = at;
    if (next) this.spans.push({ ...next, from: at, to: Infinity });
  }

  /** The first span that ends at `from` or later. */
  firstAfter(from) {
    let [low, high] = [0, this.spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.spans[middle].to < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether anything happened on it between two events: it ran, or was ready. */
  isBusy(from, to) {
    for (let at = this.firstAfter(from); at < this.spans.length && this.spans[at].from <= to; at += 1) {
      if (this.spans[at].kind !== "suspended") return true;
    }
    return false;
  }
}

class Lanes {
  constructor(recording) {
    this.recording = recording;
    this.loop = new Lane("loop", 0, "the loop", 0);
    this.threads = new Map();
    this.tasks = new Map();
    this.arrows = []; // {at, from, to, kind}: lanes, by the index of the wake or the spawn
    this.texts = new Map(); // of waits, by what and where
    this.sorts = new Set(); // of the waits that occur
    for (const [id, task] of recording.history.begin.tasks) {
      const [wait, site] = task.suspended ?? [];
      const kind = task.stand === "running" ? "run" : task.stand;
      this.task(id, 0).turn(-1, kind === "suspended" && wait ? { kind, wait, text: this.waitText(wait, site) } : { kind: kind === "run" ? kind : "ready" });
    }
    recording.events.forEach((event, at) => LANE_TAKES[event.k]?.(this, event, at));
  }

  task(id, at) {
    let lane = this.tasks.get(id);
    if (!lane) this.tasks.set(id, (lane = new Lane("task", id, this.recording.taskName(id), at)));
    return lane;
  }

  thread(name, at) {
    let lane = this.threads.get(name);
    if (!lane) this.threads.set(name, (lane = new Lane("thread", name, plain(name).replace("oneloop-", ""), at)));
    return lane;
  }

  /** The lane of whoever did something; timers and sources speak through the loop. */
  of(by) {
    return (by?.task !== undefined && this.tasks.get(by.task)) || this.loop;
  }

  arrow(event, at, kind) {
    const from = this.of(event.by);
    const to = this.task(event.task, at);
    if (from !== to) this.arrows.push({ at, from, to, kind });
  }

  /** What a task waits for, and where; equal texts are one. */
  waitText(wait, site) {
    const key = `${wait} ${site}`;
    if (!this.texts.has(key)) {
      const at = this.recording.sites.get(site);
      this.texts.set(key, at ? `${waitText(wait)}, ${placeText(at)}` : waitText(wait));
    }
    return this.texts.get(key);
  }

  /** The first arrow at `from` or later. */
  firstArrow(from) {
    let [low, high] = [0, this.arrows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.arrows[middle].at < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The lanes to be shown between two events: of those that were alive then, the busy ones; and how many others there
   * are. With `all`, those too. The task that is followed always has its lane.
   */
  shown(from, to, all, followed) {
    const threads = [...this.threads.values()].filter((lane) => all || lane.isBusy(from, to));
    const alive = [...this.tasks.values()].filter((lane) => lane.born <= to && lane.end >= from);
    const idle = new Set(alive.filter((lane) => !all && lane.id !== followed && !lane.isBusy(from, to)));
    // One that is idle takes no more room than the line that would count it.
    if (idle.size === 1) idle.clear();
    return [[this.loop, ...threads, ...alive.filter((lane) => !idle.has(lane))], idle];
  }
}

/** What each kind of event does to the lanes. */
const LANE_TAKES = {
  wait_begin: (lanes, event, at) => lanes.loop.turn(at, { kind: "wait", glance: event.timeout === 0 }),
  wait_end: (lanes, _, at) => lanes.loop.turn(at),
  callback_begin: (lanes, event, at) => lanes.loop.turn(at, { kind: "run", text: `callback ${event.callback}` }),
  callback_end: (lanes, _, at) => lanes.loop.turn(at),
  loop_end: (lanes, _, at) => lanes.loop.turn(at),
  spawn(lanes, event, at) {
    lanes.task(event.task, at).turn(at, { kind: "ready" });
    lanes.arrow(event, at, "spawn");
  },
  wake(lanes, event, at) {
    const lane = lanes.task(event.task, at);
    if (event.effect === "while_running") lane.again = true;
    else if (event.effect === "queued") lane.turn(at, { kind: "ready" });
    else return;
    lanes.arrow(event, at, "wake");
  },
  poll_begin: (lanes, event, at) => lanes.task(event.task, at).turn(at, { kind: "run", text: `poll ${event.poll}` }),
  poll_end(lanes, event, at) {
    const lane = lanes.task(event.task, at);
    const [wait, site] = event.suspended ?? [];
    if (lane.again) lane.turn(at, { kind: "ready", after: true });
    else if (wait) lane.turn(at, { kind: "suspended", wait, text: lanes.waitText(wait, site) });
    else lane.turn(at);
    if (wait) lanes.sorts.add(waitSort(wait));
    lane.again = false;
  },
  task_end(lanes, event, at) {
    const lane = lanes.task(event.task, at);
    lane.turn(at);
    [lane.end, lane.outcome] = [at, event.outcome];
  },
  job_start(lanes, event, at) {
    if (event.th !== undefined) lanes.thread(event.th, at).turn(at, { kind: "job", text: `job ${event.job}`, start: event.t });
  },
  job_end(lanes, event, at) {
    const lane = lanes.threads.get(event.th);
    const open = lane?.spans.at(-1);
    lane?.turn(at);
    if (open) open.stop = event.t;
  },
};
