// What is pressed: the bar at the bottom, the view of the timeline, the header, and the two dialogs.

const SPEEDS = [["0.25", "¼ ×"], ["0.5", "½ ×"], ["1", "1 ×"], ["2", "2 ×"], ["4", "4 ×"], ["16", "16 ×"], ["64", "64 ×"]];

class Controls {
  constructor(page) {
    this.page = page;
    const { player, timeline } = page;
    const press = (name, label, act) => el("button", { class: `round ${name}`, "aria-label": label, title: label, click: () => (player.pause(), act()) }, icon(ICONS[name]));
    this.playing = el("button", { class: "round play", click: () => page.play() });
    this.units = choice("Step by", [["event", "event"], ["poll", "poll"], ["turn", "turn"]], (unit) => { player.unit = unit; this.update(); });
    this.speed = el("select", { "aria-label": "Speed", change: () => { player.speed = Number(this.speed.value); } },
      ...SPEEDS.map(([value, text]) => el("option", { value, selected: value === "1" }, text)));
    this.scrubber = el("input", { type: "range", min: 1, max: Math.max(1, player.length), step: 1, value: 1, "aria-label": "Moment of the run" });
    this.scrubber.addEventListener("input", () => { player.pause(); player.go(Number(this.scrubber.value)); });
    this.position = el("output", { class: "position" });
    this.bar = el("section", { class: "controls", "aria-label": "Controls" },
      el("div", { class: "buttons" }, press("first", "To the first event", () => player.go(1)), press("back", "One step back", () => player.step(-1)), this.playing,
        press("forward", "One step on", () => player.step(1)), press("last", "To the last event", () => player.go(player.length))),
      this.units.group, el("div", { class: "scrub" }, this.scrubber, this.position), el("label", { class: "speed" }, "Speed ", this.speed));
    this.followed = el("button", { class: "chip followed", click: () => player.follow(0, null) });
    this.axis = choice("Timeline by", [["order", "order"], ["time", "time"]], (axis) => page.setAxis(axis));
    this.idle = el("button", { class: "small", click: () => page.toggle("showIdle") });
    const zoom = (label, text, act) => el("button", { class: "small", "aria-label": label, title: label, click: act }, text);
    this.view = el("div", { class: "view" }, this.followed, this.idle, page.views.length > 1 ? null : this.axis.group,
      zoom("Zoom out", "−", () => timeline.zoom(1 / 1.5)), zoom("Zoom in", "+", () => timeline.zoom(1.5)),
      zoom("Show all of the run", "all", () => { timeline.fit(true); timeline.draw(); }));
    this.libraries = el("button", { class: "small", "aria-pressed": "true", click: () => page.toggle("hideLibraries") }, "Hide libraries");
    this.help = dialog("Keys", el("dl", { class: "keys" }, ...KEYS.flatMap(([key, what]) => [el("dt", {}, key), el("dd", {}, what)])),
      el("p", {}, "Click or drag in the timeline to go to a moment; click a task to follow only it. The address in the browser always leads back to the event that is shown."));
  }

  update() {
    const { page } = this;
    const { player, settings, timeline } = page;
    const label = player.playing ? "Pause" : "Play";
    if (this.playing.getAttribute("aria-label") !== label) {
      setAttribute(this.playing, "aria-label", label);
      setAttribute(this.playing, "title", `${label} (space)`);
      rebuild(this.playing, icon(ICONS[label.toLowerCase()]));
    }
    this.units.show(player.unit);
    this.axis.show(settings.axis);
    this.scrubber.value = player.position;
    const [at, last] = this.place();
    setAttribute(this.scrubber, "aria-valuetext", `event ${at} of ${last}`);
    this.scrubber.style.setProperty("--done", `${(100 * (player.position - 1)) / Math.max(1, player.length - 1)}%`);
    setText(this.position, `${grouped(at)} / ${grouped(last)}`);
    const { followed } = player;
    this.followed.hidden = !followed;
    if (followed) setText(this.followed, `following ${player.sides[followed.side].taskName(followed.id)}  ✕`);
    setText(this.idle, settings.showIdle ? "Hide idle" : "Show idle");
    setAttribute(this.idle, "aria-pressed", String(settings.showIdle));
    this.idle.hidden = !settings.showIdle && timeline.idle === 0;
    setAttribute(this.libraries, "aria-pressed", String(settings.hideLibraries));
  }

  /** Where one is, and where the end is: in one recording by the numbers of its events, in two by how many have happened. */
  place() {
    const { player } = this.page;
    if (player.sides.length > 1) return [player.position, player.length];
    const { events } = player.sides[0];
    return [events[player.position - 1]?.n ?? 0, events.at(-1)?.n ?? 0];
  }

  /** The line on top: what was recorded, what is to be said about it, and the dialogs. */
  header(recordings) {
    const { page } = this;
    const facts = recordings.length > 1 ? "two runs on one scale of time" : about(recordings[0]);
    const findings = recordings.flatMap((recording, side) => recording.findings.map((finding) => ({ ...finding, side })));
    const warnings = recordings.flatMap((recording) => recording.about.warnings);
    this.findings = dialog("Findings", ...findings.map((finding) => this.finding(finding)));
    const found = el("button", { class: "small found", click: () => this.findings.showModal() }, count(findings.length, "finding"));
    const notes = warnings.length ? el("details", { class: "notes" }, el("summary", {}, count(warnings.length, "remark")), ...warnings.map((text) => el("p", {}, text))) : null;
    const hasLibraries = recordings.some((recording) => recording.libraries.size > 0);
    const isNamed = recordings.length > 1 || page.stops.isLesson;
    const names = recordings.map(({ about: { name, program } }) => (isNamed ? name : baseName(program) || name));
    return el("header", {}, el("h1", {}, names.join(" and ")), el("p", { class: "about" }, facts), notes,
      el("div", { class: "tools" }, page.stops.back, findings.length ? found : null, hasLibraries ? this.libraries : null,
        el("button", { class: "small icon-only", "aria-label": "Dark or light", title: "Dark or light (d)", click: () => page.turnTheme() }, icon(ICONS.theme)),
        el("button", { class: "small", "aria-label": "Help: the keys", title: "The keys (?)", click: () => this.help.showModal() }, "?")),
      this.help, this.findings);
  }

  finding({ rule, level, text, advice, evidence, times, side }) {
    const link = (seq) => el("a", { href: `#${linkTo(seq, side)}`, click: () => this.findings.close() }, `event ${grouped(seq)}`);
    const where = evidence.slice(0, 6).flatMap((seq, at) => (at ? [", ", link(seq)] : [link(seq)]));
    return el("article", { class: `finding ${level}` }, el("h3", {}, `${level}: ${rule}`, times ? `, ${times}` : ""),
      el("p", {}, text), el("p", { class: "advice" }, `What to do: ${advice}.`), where.length ? el("p", {}, "See ", ...where, ".") : null);
  }
}

/** What was recorded, in a line. */
function about(recording) {
  const { clock, args } = recording.about;
  const length = recording.times.at(-1) ?? 0;
  const facts = [args.join(" "), count(recording.length, "event"), count(recording.turns.length, "turn"), span(length), clock ? `${clock} time` : ""];
  return facts.filter(Boolean).join("  ·  ");
}

/** Buttons of which one is pressed. */
function choice(label, options, chosen) {
  const buttons = new Map(options.map(([value, text]) => [value, el("button", { click: () => chosen(value) }, text)]));
  const group = el("div", { class: "choice", role: "group", "aria-label": label }, ...buttons.values());
  const show = (value) => buttons.forEach((button, name) => setAttribute(button, "aria-pressed", String(name === value)));
  return { group, show };
}

/** A dialog with a heading and a button that closes it. */
function dialog(title, ...content) {
  const box = el("dialog", { "aria-label": title });
  const close = el("button", { class: "small", click: () => box.close() }, "Close");
  box.append(el("div", { class: "head" }, el("h2", {}, title), close), el("div", { class: "text", tabindex: 0 }, ...content));
  // A click beside it closes it, too.
  box.addEventListener("click", (event) => event.target === box && box.close());
  return box;
}
