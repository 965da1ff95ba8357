// The panels of the board: what there is at this moment. Each has a fixed place, and says so if it is empty.

/** The most entries that a panel shows; the others are counted. */
const MOST_ENTRIES = 40;

/** From so many suspended tasks at the same line on, they are one entry. */
const MANY = 4;

/** How a task stands, as a sign beside the word. */
const SIGNS = { running: "▶", ready: "◆", suspended: "‖" };

class Panels {
  constructor(recording, number, player, settings) {
    Object.assign(this, { recording, number, player, settings });
    this.ready = panel("ready", "Ready queue");
    this.timers = panel("timers", "Timers");
    this.io = panel("io", "I/O");
    this.pool = panel("pool", "Pool");
    this.locks = panel("locks", "Locks");
    this.tasks = panel("tasks", "Tasks");
    this.output = panel("output", "Output");
    this.wheel = new Wheel();
    this.timerList = el("ul", { class: "rows" });
    this.timers.body.append(el("div", { class: "beside" }, this.wheel.drawing, this.timerList), el("p", { class: "caption" }, RINGS_TEXT));
    this.queue = el("ol", { class: "chips" });
    this.ready.body.append(this.queue);
    this.taskList = el("ul", { class: "rows tasklist" });
    this.endedText = el("p", { class: "nothing" });
    this.tasks.body.append(this.taskList, this.endedText);
    this.written = el("pre", { class: "written" });
    const { level, clock } = recording.about;
    this.isLate = recording.output.length > 0 && clock === "real" && ["loop", "task"].includes(level);
    if (this.isLate) setText(this.output.number, "as it came, a little late");
    this.output.body.append(this.written);
    this.shownOutput = -1;
  }

  update(at, world) {
    this.world = world;
    this.updateReady(world);
    this.updateTimers(world);
    this.updateIo(world);
    this.updatePool(world);
    this.updateLocks(world);
    this.updateTasks(world);
    this.updateOutput(at);
  }

  entryName(entry) {
    if (entry.end) return "end of the run";
    return entry.task !== undefined ? this.recording.taskName(entry.task) : `callback ${entry.callback}`;
  }

  updateReady(world) {
    setText(this.ready.number, String(world.ready.size));
    const entries = [...world.ready];
    const shown = entries.slice(0, MOST_ENTRIES).map(([place, entry], index) => {
      const name = el("span", { class: "chip" }, this.entryName(entry));
      return el("li", { class: index === 0 ? "first" : "" }, name);
    });
    if (entries.length > shown.length) shown.push(el("li", { class: "nothing" }, `and ${entries.length - shown.length} more`));
    if (shown.length === 0) shown.push(el("li", { class: "nothing" }, "The queue is empty."));
    const { running } = world;
    if (running) shown.unshift(el("li", { class: "running" }, el("span", { class: "chip runs" }, `▶ ${this.entryName(running)} runs`)));
    rebuild(this.queue, ...shown);
  }

  updateTimers(world) {
    setText(this.timers.number, String(world.timers.size));
    this.wheel.update(world);
    const timers = [...world.timers].sort(([, one], [, other]) => one.at - other.at);
    const rows = timers.slice(0, MOST_ENTRIES).map(([id, timer]) => {
      const whom = timer.callback !== null ? `callback ${timer.callback}` : actorText(timer.by, this.recording);
      const left = timer.at - world.time;
      const when = left > 0 ? `in ${span(left)}` : "due";
      return el("li", {}, el("b", {}, when), ` timer ${id} for ${whom}`);
    });
    rebuild(this.timerList, ...(rows.length ? rows : [el("li", { class: "nothing" }, "No timer is armed.")]),
      timers.length > rows.length ? el("li", { class: "nothing" }, `and ${timers.length - rows.length} more`) : null);
  }

  updateIo(world) {
    setText(this.io.number, String(world.sources.size));
    // Those that somebody waits for come first.
    const sources = [...world.sources].sort(([, one], [, other]) => Math.min(1, other.waits.length) - Math.min(1, one.waits.length));
    const rows = sources.slice(0, MOST_ENTRIES).map(([id, source]) => {
      const waits = source.waits.map(([wait, by]) => `${actorText(by, this.recording)} waits for ${waitText(wait)}`);
      const last = source.last ? operationText(...source.last) : "";
      const facts = [...waits, source.closed ? "the other side has closed" : "", waits.length ? "" : last].filter(Boolean);
      return el("li", {}, el("b", {}, `${source.what} ${id}`), facts.length ? ` ${facts.join("; ")}` : "");
    });
    this.list(this.io, rows, world.sources.size, "No socket is open.");
  }

  updatePool(world) {
    setText(this.pool.number, String(world.jobs.size));
    const rows = [];
    for (const [name, job] of world.threads) {
      rows.push(el("li", {}, el("b", {}, plain(name).replace("oneloop-", "")), job === null ? " is idle" : ` runs job ${job}`));
    }
    for (const [id, job] of world.jobs) {
      if (job.stand === "running" && job.thread !== null) continue;
      const how = { queued: "waits for a thread", running: "is running", ended: "has ended; its result was not taken yet" }[job.stand];
      rows.push(el("li", {}, el("b", {}, `job ${id}`), ` of ${actorText(job.by, this.recording)} ${how}`));
    }
    this.list(this.pool, rows.slice(0, MOST_ENTRIES), rows.length, "No thread has started.");
  }

  /** What is held, and by whom; and who waits for it, in line or granted it already. */
  updateLocks(world) {
    setText(this.locks.number, String(world.lines.size));
    const rows = [...world.lines].slice(0, MOST_ENTRIES).map(([id, { what, holders, waiters }]) => {
      const line = [...waiters.values()].sort((one, other) => one.seq - other.seq);
      const parts = [["held by", holders], ["granted to", actorsOf(line, true)], ["waited for by", actorsOf(line, false)]];
      const facts = parts.filter(([, who]) => who.length).map(([how, who]) => `${how} ${actorsText(who, this.recording)}`);
      return el("li", {}, el("b", {}, what ? waitText(what) : "a mutex or a semaphore"), ` (line ${id}) ${facts.join("; ")}`);
    });
    this.list(this.locks, rows, world.lines.size, "Nothing is held or waited for.");
  }

  /** A list, with what was left out of it, or what its emptiness means. */
  list({ body }, rows, total, empty) {
    const more = total > rows.length ? el("li", { class: "nothing" }, `and ${total - rows.length} more`) : null;
    rebuild(body, rows.length ? el("ul", { class: "rows" }, ...rows, ...(more ? [more] : [])) : nothing(empty));
  }

  /** Tasks as entries: one each, or one for many that wait at the same line for the same. */
  taskEntries(world) {
    const [single, groups] = [[], new Map()];
    for (const [id, task] of world.tasks) {
      const key = task.stand === "suspended" && id !== this.player.followed ? task.suspended?.join("/") : undefined;
      const group = key === undefined ? null : (groups.get(key) ?? groups.set(key, []).get(key));
      (group ?? single).push([id, task]);
    }
    const entries = single.map(([id, task]) => ({ key: `task ${id}`, id, task, number: 1 }));
    for (const [key, tasks] of groups) {
      if (tasks.length >= MANY) entries.push({ key, id: tasks[0][0], task: tasks[0][1], number: tasks.length });
      else for (const [id, task] of tasks) entries.push({ key: `task ${id}`, id, task, number: 1 });
    }
    // The one that is followed is the first, then those that run or are ready.
    const rank = ({ id, task }) => (id === this.player.followed ? -1 : { running: 0, ready: 1, suspended: 2 }[task.stand]);
    return entries.sort((one, other) => rank(one) - rank(other) || one.id - other.id);
  }

  updateTasks(world) {
    setText(this.tasks.number, `${world.tasks.size}`);
    const entries = this.taskEntries(world);
    const shown = entries.slice(0, MOST_ENTRIES);
    fill(this.taskList, shown, (entry) => entry.key, (entry) => this.makeTask(entry), (row, entry) => this.updateTask(row, entry, world));
    const more = entries.length > shown.length ? `and ${entries.length - shown.length} more. ` : "";
    const ended = world.ended ? `${count(world.ended, "task")} ended.` : "";
    setText(this.endedText, more + ended || (entries.length ? "" : "There is no task."));
  }

  makeTask({ id, number }) {
    const [name, how, facts] = [el("b", { class: "name" }), el("span", { class: "stand" }), el("span", { class: "facts" })];
    const button = el(number === 1 ? "button" : "div", { class: "task" }, name, how, facts);
    if (number === 1) button.addEventListener("click", () => this.player.follow(id));
    const more = el("div", { class: "more" });
    const row = el("li", {}, button, more);
    row.parts = { button, name, how, facts, more };
    return row;
  }

  updateTask(row, { id, task, number }, world) {
    const { button, name, how, facts, more } = row.parts;
    rebuild(more, ...(number === 1 && this.player.followed === id ? this.story(id, task) : []));
    setText(name, number > 1 ? count(number, "task") : this.recording.taskName(id));
    const sort = task.stand === "suspended" && task.suspended ? waitSort(task.suspended[0]) : "";
    setAttribute(button, "class", `task is-${task.stand} ${sort ? `sort-${sort}` : ""}`);
    if (number === 1) setAttribute(button, "aria-pressed", String(this.player.followed === id));
    setText(how, `${SIGNS[task.stand]} ${task.cancelled ? "cancelled, " : ""}${task.lost ? "lost, " : ""}${task.stand}`);
    const since = world.time - task.since;
    const lasting = since > 0 && number === 1 ? ` for ${span(since)}` : "";
    const at = this.recording.taskSite(task);
    if (task.stand === "suspended" && task.suspended) {
      setText(facts, `${waitText(task.suspended[0])}, at ${placeText(at)}${lasting}`);
    } else {
      const woken = task.woken && task.polls > 0 ? `, woken by ${actorText(task.woken[1], this.recording)}` : "";
      const poll = task.stand === "running" ? `poll ${task.polls}` : "";
      const from = task.stand === "ready" ? `goes on at ${placeText(at)}` : `from ${placeText(at)}`;
      setText(facts, [poll, from + woken].filter(Boolean).join(", "));
    }
  }

  /** What else is known of the task that is followed: where it comes from, what woke it, and the chain of its awaits. */
  story(id, task) {
    const { recording } = this;
    const spawned = recording.sites.get(task.site);
    const lines = [el("p", {}, `Spawned by ${actorText(task.by, recording)}${spawned ? ` at ${placeText(spawned)}` : ""}.`)];
    if (task.woken && task.polls > 0) {
      const link = el("a", { href: `#${linkTo(task.woken[0], this.number)}` }, `event ${grouped(task.woken[0])}`);
      lines.push(el("p", {}, "Woken last in ", link, ` by ${actorText(task.woken[1], recording)}.`));
    }
    for (const [line, { what, holders, waiters }] of this.world.lines) {
      if (!holders.some((by) => by.task === id)) continue;
      const others = actorsOf([...waiters.values()], false).filter((by) => by.task !== id);
      const waiting = others.length ? `, for which ${actorsText(others, recording)} wait` : "";
      lines.push(el("p", {}, `Holds ${what ? waitText(what) : "a permit"} (line ${line})${waiting}.`));
    }
    const frames = (task.frames ?? []).map((id) => recording.sites.get(id)).filter((site) => site && !(this.settings.hideLibraries && recording.isLibrary(site.file)));
    if (frames.length) {
      const rows = frames.map((site) => el("li", {}, `${placeText(site)} `, el("code", {}, recording.codeAt(site))));
      lines.push(el("p", {}, "It waits within:"), el("ol", { class: "frames" }, ...rows));
    }
    return lines;
  }

  updateOutput(at) {
    const { output } = this.recording;
    let number = 0;
    while (number < output.length && output[number].after < at) number += 1;
    if (number === this.shownOutput) return;
    this.shownOutput = number;
    const pieces = output.slice(Math.max(0, number - 500), number).map(({ text, stderr }) =>
      stderr ? el("span", { class: "stderr" }, text) : text);
    const yet = this.isLate ? "Nothing has come yet." : "Nothing was written yet.";
    const quiet = output.length ? yet : "This recording holds no output.";
    rebuild(this.written, ...(pieces.length ? pieces : [el("span", { class: "nothing" }, quiet)]));
    this.output.body.scrollTop = this.output.body.scrollHeight;
  }
}

/** Those in a line that were granted what they wait for, or those that were not. */
function actorsOf(waiters, granted) {
  return waiters.filter((waiter) => (waiter.granted !== null) === granted).map(({ by }) => by);
}
