// The page put together: the sentence, the board, the timeline and the controls; keys, links and the theme.

/** What the keys do, as the help lists them. */
const KEYS = [
  ["→ ←", "one event on, or back"],
  ["Shift → ←, or p P", "to the next poll, or the one before"],
  ["Ctrl → ←, or t T", "to the next turn, or the one before"],
  ["Home End", "to the first event, or the last"],
  ["Space", "play and pause"],
  ["+ − 0", "zoom the timeline in and out; all of it"],
  ["Esc", "follow no task"],
  ["a", "the timeline by order of events, or by time"],
  ["i", "show or hide idle tasks in the timeline"],
  ["l", "show or hide lines of libraries"],
  ["d", "dark or light"],
  ["?", "this help"],
];

const TURN = [["plan", "how long may we wait?"], ["wait", "for I/O and time"], ["wake", "tasks whose I/O is ready"], ["fire", "timers that are due"], ["run", "what is in the queue"]];

/** One recording on the page: its sentence and its board. */
class SideView {
  constructor(recording, number, player, settings) {
    Object.assign(this, { recording, number, player, settings });
    const follower = { get followed() { return player.followed?.side === number ? player.followed.id : null; }, follow: (id) => player.follow(number, id) };
    this.code = new CodePanel(recording, settings);
    this.panels = new Panels(recording, number, follower, settings);
    this.facts = el("p", { class: "facts" });
    this.sentence = el("p", { class: "sentence", "aria-live": "polite", "aria-atomic": "true" });
    this.because = el("p", { class: "because" });
    this.turn = el("ol", { class: "turn", "aria-label": "The five steps of a turn" },
      ...TURN.map(([step, what]) => el("li", { title: what }, step)));
    const { ready, tasks, timers, io, pool, locks, output } = this.panels;
    const words = el("div", { class: "words" }, this.facts, this.sentence, this.because);
    this.now = el("section", { class: "now", "aria-label": player.sides.length > 1 ? `What happened in ${recording.about.name}` : "What happened" }, words, this.turn);
    const lower = { section: el("div", { class: "lower" }, output.section, locks.section) };
    const columns = [[this.code, lower], [ready, tasks], [timers, io, pool]];
    this.board = el("div", { class: "board" }, ...columns.map((parts) => el("div", { class: "column" }, ...parts.map((part) => part.section))));
  }

  update() {
    const { recording, number, player } = this;
    const at = player.at(number);
    const world = recording.world(at);
    this.sentence.setAttribute("aria-live", player.playing ? "off" : "polite");
    if (at > 0) this.say(at - 1, world);
    else setText(this.sentence, "Nothing has happened yet.");
    [...this.turn.children].forEach((step, index) => setAttribute(step, "aria-current", TURN[index][0] === world.step ? "step" : null));
    this.panels.update(at, world);
  }

  say(index, world) {
    const { recording } = this;
    const event = recording.events[index];
    const line = this.code.update(index, world);
    const how = line && { at: "at", led: "caused at", after: "after" }[line.how];
    const facts = [`event ${grouped(event.n)}`, world.turn === null ? "" : `turn ${grouped(world.turn)}`, span(world.time), line ? `${how} ${placeText(line.site)}` : ""];
    setText(this.facts, facts.filter(Boolean).join("  ·  "));
    setText(this.sentence, recording.sentence(index));
    const cause = recording.cause(index);
    if (cause === null) return rebuild(this.because, ORIGINS[event.k] ?? "The program began this, or another thread did.");
    const { n } = recording.events[cause];
    rebuild(this.because, "because of ", el("a", { href: `#${linkTo(n, this.number)}` }, `event ${grouped(n)}`), ` – ${recording.sentence(cause)}`);
  }
}

function linkTo(seq, side) {
  return `seq=${seq}${side ? "&side=2" : ""}`;
}

/** A drawing on a button. */
function icon(path) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }, svg("path", { d: path, "fill-rule": "evenodd" }));
}

const ICONS = {
  first: "M6 5h2.5v14H6zM19 5v14L9.5 12z", back: "M16.5 5v14L7 12z", forward: "M7.5 5v14L17 12z", last: "M15.5 5H18v14h-2.5zM5 5v14l9.5-7z",
  play: "M7 4.5v15L20 12z", pause: "M6 5h4v14H6zM14 5h4v14h-4z", theme: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2v14a7 7 0 0 1 0-14z",
};

class Page {
  constructor(recordings) {
    const pair = recordings.length > 1;
    this.settings = { axis: pair ? "time" : "order", showIdle: false, hideLibraries: true };
    this.player = new Player(recordings);
    this.views = recordings.map((recording, number) => new SideView(recording, number, this.player, this.settings));
    this.timeline = new Timeline(recordings, this.player, this.settings);
    this.stops = new Stops();
    this.controls = new Controls(this);
    this.timeline.onidle = () => this.toggle("showIdle");
    document.body.classList.toggle("pair", pair);
    this.place(recordings);
    this.player.listeners.push(() => this.update());
    addEventListener("hashchange", () => this.follow());
    addEventListener("keydown", (event) => this.pressed(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.restyle());
    if (!this.follow()) this.player.go(1);
  }

  /** Puts everything in its place. */
  place(recordings) {
    const { controls, timeline, views } = this;
    const sides = views.map((view, number) => {
      const name = views.length > 1 ? el("h2", { class: "name" }, recordings[number].about.name) : null;
      return el("div", { class: "side" }, name, view.now, view.board);
    });
    const time = el("section", { class: "panel timeline" },
      el("div", { class: "head" }, el("h2", {}, "Timeline"), legend(timeline.lanes), controls.view), timeline.scroller);
    document.body.append(controls.header(recordings), el("main", {}, el("div", { class: "sides" }, ...sides), time), controls.bar);
  }

  update() {
    for (const view of this.views) view.update();
    this.timeline.update();
    this.controls.update();
    this.stops.update(this.link());
    // A browser allows so many changes of the address and no more.
    clearTimeout(this.linking);
    if (!this.player.playing) this.linking = setTimeout(() => history.replaceState(null, "", `#${this.link()}`), 250);
  }

  link() {
    const [side, index] = this.player.eventAt(this.player.position);
    return linkTo(this.player.sides[side].events[index]?.n ?? 0, side);
  }

  /** Goes where the address says; returns whether it says so. */
  follow() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const seq = Number(wanted.get("seq") ?? NaN);
    if (!Number.isFinite(seq)) return false;
    const side = wanted.get("side") === "2" && this.player.sides.length > 1 ? 1 : 0;
    this.player.go(this.player.positionOf(side, this.player.sides[side].indexOf(seq)));
    return true;
  }

  toggle(name) {
    this.settings[name] = !this.settings[name];
    this.update();
  }

  setAxis(axis) {
    if (this.views.length > 1) return;
    this.settings.axis = axis;
    this.timeline.fit();
    this.update();
  }

  play() {
    if (this.player.playing) this.player.pause();
    else this.player.play(this.timeline.byTime);
  }

  /** Dark or light: the other one than now. */
  turnTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    this.restyle();
  }

  restyle() {
    this.timeline.paint.restyle();
    this.timeline.draw();
  }

  pressed(event) {
    if (document.querySelector("dialog[open]") || event.altKey || event.target.matches("select, input:not([type=range])")) return;
    const { player, timeline } = this;
    const unit = event.shiftKey ? "poll" : event.ctrlKey || event.metaKey ? "turn" : "event";
    const keys = {
      ArrowRight: () => player.step(1, unit), ArrowLeft: () => player.step(-1, unit),
      Home: () => player.go(1), End: () => player.go(player.length), Escape: () => player.follow(0, null),
    };
    const letters = {
      p: () => player.step(1, "poll"), P: () => player.step(-1, "poll"), t: () => player.step(1, "turn"), T: () => player.step(-1, "turn"),
      "+": () => timeline.zoom(1.5), "=": () => timeline.zoom(1.5), "-": () => timeline.zoom(1 / 1.5), 0: () => (timeline.fit(true), timeline.draw()),
      a: () => this.setAxis(timeline.byTime ? "order" : "time"), i: () => this.toggle("showIdle"), l: () => this.toggle("hideLibraries"),
      d: () => this.turnTheme(), "?": () => this.controls.help.showModal(),
    };
    if (!event.target.matches("button, a, summary")) letters[" "] = () => this.play();
    const action = keys[event.key] ?? (event.ctrlKey || event.metaKey ? null : letters[event.key]);
    if (!action) return;
    event.preventDefault();
    if (event.key !== " ") player.pause();
    action();
  }
}

/** What the bars and patterns of the timeline mean; only those that occur. */
function legend(lanes) {
  const sorts = Object.entries(SORTS).filter(([sort]) => lanes.some((side) => side.sorts.has(sort)));
  const entries = (list) => list.map(([name, text]) => el("li", {}, el("span", { class: `swatch ${name}` }), text));
  const waits = sorts.length ? [el("li", {}, "waiting for:"), ...entries(sorts.map(([sort, text]) => [`sort-${sort}`, text]))] : [];
  return el("ul", { class: "legend" }, ...entries([["run", "running"], ["ready", "ready"]]), ...waits);
}

/** Reads what the page holds, and shows it. */
async function open() {
  try {
    const texts = [...document.querySelectorAll("script.recording")].map((script) => script.textContent);
    const recordings = (await Promise.all(texts.map(unpack))).map((data) => new Recording(data));
    window.oneloop = new Page(recordings);
    document.body.classList.add("ready");
  } catch (error) {
    document.body.append(el("p", { class: "failed", role: "alert" }, `This page cannot be shown: ${error.message}`));
    throw error;
  }
}

open();
