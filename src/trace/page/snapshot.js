// How things stood before the first event of a recording that begins in the middle: the lines of its snapshot, as
// src/trace/read/snapshot.rs reads them.
"use strict";

/** The world that the lines of a snapshot tell of; an empty one if there are none. */
function worldOf(lines) {
  const world = new World();
  for (const line of lines) if (Object.hasOwn(SNAPSHOT_TAKES, line.k)) SNAPSHOT_TAKES[line.k](world, line);
  // What is ready is put in the queue when all tasks and callbacks are known.
  for (const entry of lines[0]?.ready ?? []) lineUp(world, entry);
  for (const { waiters } of world.lines.values()) world.inLine += waiters.size;
  return world;
}

function lineUp(world, entry) {
  if (entry === "end") {
    world.runEnd = world.push({ end: true });
    return;
  }
  const place = world.push(entry);
  if (entry.callback !== undefined) replace(world.callbacks, entry.callback, () => ({ place }));
  // One that runs is in the queue for another turn.
  else replace(world.tasks, entry.task, ({ stand }) => ({ place, again: stand === "running" }));
}

const SNAPSHOT_TAKES = {
  snapshot(world, { n = null, t, turn = null, step, looked, timeout = null, why, running = null, held_up = null, spawned, ended, end = null }) {
    const waiting = why === undefined ? null : [timeout, why];
    Object.assign(world, { seq: n, time: t, turn, step, looked, waiting, running, heldUp: held_up, spawned, ended, end });
  },
  snapshot_task(world, line) {
    const { task, name, by, site = null, stand, since, suspended = null, wakers, polls, cancelled = false, lost = false } = line;
    const { frames = null, awaits = [], busy = 0, queued = 0, waited = 0 } = line;
    const woken = line.woken === undefined ? null : [line.woken, line.woken_by];
    const handle = line.dropped ? "dropped" : "held";
    const known = { name, by, site, suspended, wakers, polls, woken, cancelled, handle, lost, frames, awaits, busy, queued, waited };
    world.tasks.set(task, { ...found(task, stand, since), ...known });
  },
  snapshot_callback(world, { callback, by, site, at = null }) {
    world.callbacks.set(callback, { by, site, at, place: null });
  },
  snapshot_timer(world, { timer, by, callback = null, at, armed }) {
    world.timers.set(timer, { by, callback, at, armed });
  },
  snapshot_source(world, { source, what, by, site = null, waits = [], op, result, closed = false }) {
    world.sources.set(source, { what, by, site, waits, last: op === undefined ? null : [op, result], closed });
  },
  snapshot_job(world, { job, by, site, stand, thread = null, since, abandoned = false }) {
    world.jobs.set(job, { by, site, stand, thread, since, abandoned });
  },
  snapshot_thread(world, { thread, job = null }) {
    world.threads.set(thread, job);
  },
  snapshot_line(world, { line, wait = null, holders = [], waiters = [] }) {
    const known = waiters.map(({ ticket, wait: what, by, site, n, since, granted = null }) => [ticket, { wait: what, by, site, seq: n, since, granted }]);
    world.lines.set(line, { what: wait, holders, waiters: new Map(known) });
  },
};
