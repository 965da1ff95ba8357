// A world of the page's script in the form in which `state.rs` writes one of the crate's fold.

function stateOf(world, sites) {
  const place = (id) => {
    const site = sites.get(id);
    return site ? `${site.file}:${site.line}:${site.col}` : null;
  };
  const actor = (by) => (typeof by === "string" ? by : Object.entries(by)[0].join(" "));
  const ready = (entry) => (entry.end ? "end" : Object.entries(entry).filter(([name]) => name === "task" || name === "callback")[0].join(" "));
  const result = (given) => (typeof given === "string" ? given : String(given.bytes ?? given.error));
  const listed = (map, form) => [...map].sort(([one], [other]) => (one < other ? -1 : 1)).map(([id, value]) => form(id, value));
  const { seq, time, turn, step, waiting, looked, heldUp, spawned, ended, end } = world;
  return {
    seq, time, turn, step, waiting, looked, held_up: heldUp, spawned, ended, end,
    ready: [...world.ready.values()].map(ready),
    running: world.running && ready(world.running),
    tasks: listed(world.tasks, (id, { name, by, site, stand, since, suspended, wakers, polls, woken, cancelled, handle, busy, queued, waited, frames, awaits, lost }) => ({
      id, name, by: actor(by), site: place(site), stand, since, suspended: suspended && [suspended[0], place(suspended[1])], wakers, polls,
      woken: woken && [woken[0], actor(woken[1])], cancelled, handle, busy, queued, waited, frames: frames && frames.map(place), awaits, lost,
    })),
    callbacks: listed(world.callbacks, (id, { by, site, at }) => ({ id, by: actor(by), site: place(site), at })),
    timers: listed(world.timers, (id, { by, callback, at, armed }) => ({ id, by: actor(by), callback, at, armed, slot: slot(at, world.looked) })),
    sources: listed(world.sources, (id, { what, by, site, waits, last, closed }) => ({
      id, what, by: actor(by), site: place(site), waits: waits.map(([wait, who]) => [wait, actor(who)]), last: last && [last[0], result(last[1])], closed,
    })),
    jobs: listed(world.jobs, (id, { by, site, stand, thread, since, abandoned }) => ({ id, by: actor(by), site: place(site), stand, thread, since, abandoned })),
    lines: listed(world.lines, (id, { what, holders, waiters }) => ({
      id, what, holders: holders.map(actor),
      waiters: listed(waiters, (ticket, { wait, by, site, seq: since, granted }) => [ticket, wait, actor(by), place(site), since, granted]),
    })),
    threads: listed(world.threads, (name, job) => [name, job]),
  };
}

/** A value as text, the same for equal values: the fields of objects in the order of the alphabet. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}
