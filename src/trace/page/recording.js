// A recording as the page has it: the data that src/trace/page/data.rs packed, and what can be asked of it.

/** How far the causes of an event are followed, and how far back it is looked for any line. */
const FAR = 256;

/** Unpacks what the page holds: base64, then gzip, then JSON. */
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

class Recording {
  constructor(data) {
    this.about = data;
    this.events = data.events;
    this.sites = new Map(data.sites.map((site) => [site.id, site]));
    this.libraries = new Set(data.sources.filter((source) => source.library).map((source) => source.file));
    this.patterns = data.patterns.map((pattern) => pattern.split("\u0001"));
    this.said = data.said;
    this.output = data.output;
    this.findings = data.findings;
    this.history = new History(this.events, worldOf(data.begin));
    this.index();
  }

  /** What is asked for often, found once: where polls and turns begin, when things happened, who is called what. */
  index() {
    const { events } = this;
    [this.polls, this.turns, this.names] = [[], [], new Map()];
    [this.callbackSites, this.lastSites] = [new Map(), new Map()]; // of callbacks; of tasks, where each was last
    for (const [id, task] of this.history.begin.tasks) {
      this.names.set(id, task.name);
      this.lastSites.set(id, task.suspended?.[1] ?? task.site);
    }
    for (const [id, callback] of this.history.begin.callbacks) this.callbackSites.set(id, callback.site);
    this.times = new Float64Array(events.length);
    let { time } = this.history.begin;
    for (let at = 0; at < events.length; at += 1) {
      const event = events[at];
      time = Math.max(time, event.t, event.k === "clock_jump" ? event.to : 0);
      this.times[at] = time;
      if (event.k === "poll_begin" || event.k === "callback_begin") this.polls.push(at);
      else if (event.k === "turn_begin") this.turns.push(at);
      else if (event.k === "callback_new") this.callbackSites.set(event.callback, event.site);
      else if (event.k === "poll_end" && event.suspended?.[1]) this.lastSites.set(event.task, event.suspended[1]);
      else if (event.k === "spawn") {
        this.names.set(event.task, event.name);
        this.lastSites.set(event.task, event.site);
      }
    }
  }

  get length() {
    return this.events.length;
  }

  /** The world after the first `at` events. */
  world(at) {
    return this.history.go(at);
  }

  /** The sentence of an event: its pattern, with its numbers put in. */
  sentence(index) {
    const pieces = this.patterns[this.said[2 * index]];
    const numbers = this.said[2 * index + 1].split(" ");
    return pieces.map((piece, at) => (at === 0 ? piece : (numbers[at - 1] ?? "") + piece)).join("");
  }

  /** Where the event of a number is; the next one if it was not recorded. */
  indexOf(seq) {
    let [low, high] = [0, this.events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.events[middle].n < seq) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.events.length - 1);
  }

  /** Where the event is that led to this one; null: there is none, or it was not recorded. */
  cause(index) {
    const seq = this.events[index]?.c;
    if (seq === undefined) return null;
    const cause = this.indexOf(seq);
    return this.events[cause].n === seq ? cause : null;
  }

  /** `task 2 (fetch)`, or `task 2` if that is all its name says. */
  taskName(id) {
    const name = this.names.get(id);
    return name === undefined || name === `task-${id}` ? `task ${id}` : `task ${id} (${plain(name)})`;
  }

  /** Whether an event is about a task, or was its doing. */
  isOf(index, task) {
    const event = this.events[index];
    return event.task === task || event.by?.task === task;
  }

  /** The line that an event itself names. */
  ownSite(event) {
    const own = { poll_end: () => event.suspended?.[1], task_end: () => event.at, chain: () => event.frames.at(-1) }[event.k];
    return this.sites.get(own ? own() : event.site) ?? null;
  }

  /** The line a task goes on from: where it is suspended, or where it was spawned. */
  taskSite(task) {
    return this.sites.get(task?.suspended?.[1] ?? task?.site) ?? null;
  }

  /** What is running or ready, as a line. */
  entrySite(entry, world) {
    if (entry.task !== undefined) return this.taskSite(world.tasks.get(entry.task));
    return this.sites.get(this.callbackSites.get(entry.callback)) ?? null;
  }

  /**
   * The line of an event, and how it belongs to it: it happened there (`at`), what happened there led to it (`led`), or
   * that was the last line heard of (`after`). `world` is the state after it; lines for which `hidden` holds are passed over.
   */
  lineOf(index, world, hidden) {
    const shown = (site) => (site && !hidden(site.file) ? site : null);
    const here = shown(this.ownSite(this.events[index])) ?? shown(this.runSite(index, world));
    if (here) return { how: "at", site: here };
    for (let cause = this.cause(index), far = 0; cause !== null && far < FAR; far += 1) {
      const site = shown(this.ownSite(this.events[cause])) ?? shown(this.runSite(cause, world));
      if (site) return { how: "led", site };
      const before = this.cause(cause);
      cause = before !== null && before < cause ? before : null;
    }
    for (let before = index - 1; before >= 0 && before > index - FAR; before -= 1) {
      const site = shown(this.ownSite(this.events[before]));
      if (site) return { how: "after", site };
    }
    return null;
  }

  /** The line of the task or callback that an event runs or ends. */
  runSite(index, world) {
    const event = this.events[index];
    if (event.k === "callback_begin") return this.entrySite(event, world);
    if (!["poll_begin", "poll_end", "task_end"].includes(event.k)) return null;
    // Of a task that has ended the world knows nothing any more.
    return this.taskSite(world.tasks.get(event.task)) ?? this.sites.get(this.lastSites.get(event.task)) ?? null;
  }

  /** The line of what runs next, if that is known. */
  nextSite(world) {
    for (const entry of world.ready.values()) {
      const site = this.entrySite(entry, world);
      if (site) return site;
    }
    return null;
  }

  /** The text of a line, if its file is on the page. */
  codeAt(site) {
    this.texts ??= new Map(this.about.sources.map(({ file, text }) => [file, text?.split("\n") ?? []]));
    return this.texts.get(site.file)?.[site.line - 1]?.trim() ?? "";
  }

  /** Whether a file is a library's and not the program's own. */
  isLibrary(file) {
    return this.libraries.has(file);
  }
}

/** A name, without what would do something to the line instead of being seen in it. */
function plain(name) {
  return String(name).replace(/[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu, "\ufffd");
}
