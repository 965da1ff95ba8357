// The program's source: the line that just ran, the one that runs next, and the lines where tasks wait.

/** How the words of Rust are told apart; what is not matched is plain. */
const TOKENS = new RegExp([
  /(?<comment>\/\/.*)/, /(?<string>b?"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)')/,
  /(?<await>\.await\b)/, /(?<macro>\b\w+!(?=[([{]))/, /(?<number>\b\d[\w.]*)/,
  /(?<keyword>\b(?:as|async|break|const|continue|else|enum|fn|for|if|impl|in|let|loop|match|mod|move|mut|pub|ref|return|self|Self|static|struct|trait|type|use|where|while)\b)/,
].map((token) => token.source).join("|"), "g");

/** A line of Rust as spans. */
function coloured(line) {
  const pieces = [];
  let plainFrom = 0;
  for (const match of line.matchAll(TOKENS)) {
    const sort = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    pieces.push(line.slice(plainFrom, match.index), el("span", { class: `tok-${sort}` }, match[0]));
    plainFrom = match.index + match[0].length;
  }
  pieces.push(line.slice(plainFrom));
  return pieces.filter((piece) => piece !== "");
}

/** What stands before a marked line; of several, the last one. */
const LINE_SIGNS = { chain: "┆", waits: "‖", next: "▷", led: "◁", ran: "▶" };

/** What an event does at its line. */
function atText(event, world) {
  if (event.k === "poll_begin") return world.tasks.get(event.task)?.suspended ? "goes on" : "begins";
  if (event.k === "poll_end") return event.suspended ? "suspends" : "went on to its end";
  return { chain: "waits here", spawn: "spawns", task_end: "last seen here", callback_begin: "calls" }[event.k] ?? "ran";
}

class CodePanel {
  constructor(recording, settings) {
    [this.recording, this.settings] = [recording, settings];
    this.files = new Map(recording.about.sources.map((source) => [source.file, source]));
    this.file = null; // the one that is shown
    this.lines = []; // its lines, as elements
    this.marked = []; // those of them that are marked
    const { section, number, body } = panel("code", "Code");
    [this.section, this.number, this.body] = [section, number, body];
  }

  /** Shows a file from its beginning. */
  open(file) {
    if (file === this.file) return;
    [this.file, this.lines, this.marked] = [file, [], []];
    setText(this.number, file ?? "");
    const source = this.files.get(file);
    if (!source || source.missing !== undefined) {
      const why = source ? `${file} is not in this page: ${source.missing}.` : "No line of the program is known yet.";
      return rebuild(this.body, nothing(why));
    }
    const list = el("ol", { class: "lines" });
    for (const text of source.text.replace(/\n$/, "").split("\n")) {
      const line = el("li", {}, el("span", { class: "sign", "aria-hidden": "true" }), el("code", {}, ...coloured(text)), el("span", { class: "marks" }));
      list.append(line);
      this.lines.push(line);
    }
    rebuild(this.body, list);
  }

  update(index, world) {
    const { recording, settings } = this;
    const line = recording.lineOf(index, world, (file) => settings.hideLibraries && recording.isLibrary(file));
    this.open(line?.site.file ?? this.file ?? recording.about.sources[0]?.file ?? null);
    for (const element of this.marked) {
      element.classList.remove("ran", "led", "next", "waits", "chain");
      element.removeAttribute("aria-current");
      setText(element.firstChild, "");
      rebuild(element.lastChild);
    }
    this.marked = [];
    this.markWaits(world, recording.events[index]);
    const next = recording.nextSite(world);
    if (next) this.mark(next, "next", "runs next");
    if (line) {
      const words = line.how === "at" ? atText(recording.events[index], world) : { led: "led to this", after: "before this" }[line.how];
      const element = this.mark(line.site, line.how === "at" ? "ran" : "led", words);
      element?.setAttribute("aria-current", "true");
      if (element) this.reveal(element);
    }
    return line;
  }

  /** The tasks that wait, at their lines; those of one line are counted. Of the one that just went to wait the event tells. */
  markWaits(world, event) {
    const lines = new Map();
    for (const [id, task] of world.tasks) {
      const site = this.recording.sites.get(task.suspended?.[1]);
      if (task.stand !== "suspended" || site?.file !== this.file || (event.k === "poll_end" && event.task === id)) continue;
      const at = lines.get(site.line) ?? { site, tasks: [] };
      at.tasks.push([id, task]);
      lines.set(site.line, at);
    }
    this.markChains(world);
    for (const { site, tasks } of lines.values()) {
      const who = tasks.length > 1 ? `${count(tasks.length, "task")} wait` : `${this.recording.taskName(tasks[0][0])} waits`;
      this.mark(site, "waits", who, waitSort(tasks[0][1].suspended[0]));
    }
  }

  /** The lines of the async functions around the one that waits, for tasks whose chain was recorded. */
  markChains(world) {
    const { recording } = this;
    for (const task of world.tasks.values()) {
      const outer = (task.frames ?? []).slice(0, -1).map((id) => recording.sites.get(id));
      for (const site of outer) {
        const element = site?.file === this.file ? this.lines[site.line - 1] : null;
        if (!element || element.classList.contains("chain")) continue;
        element.classList.add("chain");
        setText(element.firstChild, LINE_SIGNS.chain);
        this.marked.push(element);
      }
    }
  }

  mark(site, how, words, sort = null) {
    const element = site.file === this.file ? this.lines[site.line - 1] : null;
    if (!element) return null;
    element.classList.add(how);
    setText(element.firstChild, LINE_SIGNS[how]);
    element.lastChild.append(el("span", { class: `mark ${how}${sort ? ` sort-${sort}` : ""}` }, words));
    this.marked.push(element);
    return element;
  }

  /** Scrolls the panel, and nothing else, so far that a line is well within. */
  reveal(element) {
    const { body } = this;
    const top = element.offsetTop - body.offsetTop;
    const [from, to] = [body.scrollTop, body.scrollTop + body.clientHeight];
    const margin = Math.min(72, body.clientHeight / 4);
    if (top < from + margin || top + element.offsetHeight > to - margin) {
      body.scrollTop = top - body.clientHeight * 0.4;
    }
  }
}
