// The timeline: lanes of one or two recordings on a canvas, with the arrows of wakes and the moment that is looked at.
//
// What is drawn can also be read: the tasks panel and the sentence say the same in words. Along the axis goes either the
// order of events, each as wide as any other, or time.

/** Heights, in pixels of the page: a lane is as high as there is room for, between the two. */
const [RULER, LOW_LANE, HIGH_LANE] = [28, 28, 44];

class Timeline {
  constructor(sides, player, settings) {
    [this.sides, this.player, this.settings] = [sides, player, settings];
    this.lanes = sides.map((recording) => new Lanes(recording));
    this.canvas = el("canvas", { role: "img", "aria-label": "Timeline of the tasks" });
    this.spacer = el("div", { class: "spacer" }, this.canvas);
    this.scroller = el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Timeline" }, this.spacer);
    this.paint = new Paint(this.canvas);
    this.rows = []; // what stands where: {lane, side, y} or {title, y}
    this.idle = 0;
    this.from = 0; // the unit at the left end
    this.scale = 0; // pixels of a unit; 0: not known before the first drawing
    this.pointers = new Map();
    this.listen();
  }

  get byTime() {
    return this.settings.axis === "time";
  }

  /** Where labels end and the run begins. */
  get gutter() {
    return this.width < 600 ? 96 : 168;
  }

  /** The length of the run, in events or in nanoseconds. */
  get length() {
    return this.byTime ? Math.max(1, ...this.sides.map((side) => side.times.at(-1) ?? 0)) : Math.max(1, this.sides[0].length);
  }

  get room() {
    return Math.max(1, this.width - this.gutter - 12);
  }

  x(unit) {
    return this.gutter + (unit - this.from) * this.scale;
  }

  unit(x) {
    return this.from + (x - this.gutter) / this.scale;
  }

  /** Where a span begins and ends along the axis. */
  begin(side, span) {
    if (this.byTime) return span.start ?? side.times[Math.max(0, span.from)];
    return span.kind === "suspended" || span.after ? span.from + 1 : span.from;
  }

  end(side, span) {
    if (span.to === Infinity) return this.byTime ? side.times.at(-1) : side.length;
    if (this.byTime) return span.stop ?? side.times[span.to];
    return span.kind === "suspended" || span.kind === "ready" ? span.to : span.to + 1;
  }

  /** All of the run, or as much of it as can be told apart. */
  fit(all = false) {
    const fitting = this.room / this.length;
    this.scale = this.byTime || all ? fitting : Math.max(fitting, 16);
    this.from = 0;
    this.keepInView();
  }

  /** Larger or smaller, around a place on the canvas. */
  zoom(factor, x = this.x(this.now())) {
    const unit = this.unit(x);
    const fitting = this.room / this.length;
    const largest = this.byTime ? Math.max(fitting, 0.05) : 80;
    this.scale = Math.min(Math.max(this.scale * factor, fitting), Math.max(fitting, largest));
    this.pan(unit - (x - this.gutter) / this.scale);
  }

  pan(from) {
    this.from = Math.max(0, Math.min(from, this.length - this.room / this.scale));
    this.draw();
  }

  /** The moment that is looked at, as a unit. */
  now() {
    return this.byTime ? this.player.clock : this.player.at(0);
  }

  /** Moves the view so far that the moment is well within. */
  keepInView() {
    const [at, room] = [this.now(), this.room / this.scale];
    const before = this.byTime ? at : at - 1;
    if (before < this.from + room * 0.05) this.from = before - room * 0.3;
    else if (at > this.from + room * 0.85) this.from = at - room * 0.7;
    this.from = Math.max(0, Math.min(this.from, this.length - room));
  }

  update() {
    if (this.scale > 0) this.keepInView();
    this.revealing = true;
    this.draw();
  }

  /** The indices of a side's events between the left and the right end. */
  window(side) {
    const [left, right] = [this.from, this.unit(this.width)];
    if (!this.byTime) return [Math.floor(left), Math.ceil(right)];
    return [firstAt(side.times, left) - 1, firstAt(side.times, right) + 1];
  }

  /** Decides which lanes are shown, and where. */
  arrange(height) {
    [this.rows, this.idle] = [[], 0];
    this.sides.forEach((side, number) => {
      const [from, to] = this.window(side);
      const followed = this.player.followed?.side === number ? this.player.followed.id : null;
      const [shown, idle] = this.lanes[number].shown(from, to, this.settings.showIdle, followed);
      if (this.sides.length > 1) this.rows.push({ title: side.about.name, side });
      for (const lane of shown) this.rows.push({ lane, side, number });
      if (idle.size) this.rows.push({ idle: idle.size, side });
      this.idle += idle.size;
    });
    const room = (height - RULER - 6) / this.rows.length;
    this.lane = this.sides.length > 1 ? LOW_LANE : Math.floor(Math.max(LOW_LANE, Math.min(room, HIGH_LANE)));
    this.rows.forEach((row, at) => { row.y = RULER + 3 + at * this.lane; });
    this.height = RULER + 6 + this.rows.length * this.lane;
  }

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      this.drawNow();
    });
  }

  drawNow() {
    this.width = this.scroller.clientWidth;
    const height = this.scroller.clientHeight;
    if (!this.width || !height) return;
    if (!this.scale) this.fit();
    this.arrange(height);
    this.spacer.style.height = `${Math.max(this.height, height)}px`;
    if (this.revealing) this.revealLane(height);
    this.revealing = false;
    this.paint.begin(this.width, height, this.lane);
    const top = this.scroller.scrollTop;
    this.captions = []; // texts, which go over the arrows
    for (const row of this.rows) {
      const y = row.y - top;
      if (y > height || y < RULER - this.lane) continue;
      if (row.lane) this.drawLane(row, y);
      else this.paint.title(row.title ?? count(row.idle, "idle task"), y, this.width, Boolean(row.title));
    }
    this.drawArrows(top);
    for (const caption of this.captions) this.paint.caption(...caption);
    this.drawRuler();
    this.drawNowMark(height, top);
    const shown = this.rows.filter((row) => row.lane).map((row) => row.lane.name);
    setAttribute(this.canvas, "aria-label", `Timeline of ${shown.slice(0, 12).join(", ")}`);
  }

  /** Scrolls so far that the lane of the event's task is to be seen. */
  revealLane(height) {
    if (this.height <= height) return;
    const [side, index] = this.player.eventAt(Math.max(1, this.player.position));
    const event = this.sides[side].events[index];
    const running = this.sides[side].history.world.running?.task;
    const lane = this.lanes[side].tasks.get(event?.task ?? event?.by?.task ?? running);
    const row = this.rows.find((one) => one.lane === lane);
    if (!lane || !row) return;
    const { scroller } = this;
    if (row.y < scroller.scrollTop + RULER) scroller.scrollTop = row.y - RULER - this.lane;
    else if (row.y + this.lane > scroller.scrollTop + height) scroller.scrollTop = row.y + 2 * this.lane - height;
  }

  drawLane({ lane, side, number }, y) {
    const { paint, player } = this;
    const [from, to] = this.window(side);
    const followed = player.followed;
    paint.alpha(!followed || (followed.side === number && (lane.sort !== "task" || lane.id === followed.id)) ? 1 : 0.4);
    const left = this.gutter;
    // A short poll between two long waits is not to be covered by them.
    for (const layer of ["suspended", "ready", "run"]) this.drawSpans(lane, side, from, to, y, layer);
    const end = this.x(this.byTime ? side.times[lane.end] : lane.end + 0.5);
    if (lane.outcome && end > left) paint.ended(this.byTime ? end + 9 : end, y, lane.outcome);
    paint.label(lane, y, this.gutter);
    paint.alpha(1);
  }

  /** The spans of one layer; `run` is all that is done: polls, calls, jobs, and the loop's own waits. */
  drawSpans(lane, side, from, to, y, layer) {
    const [left, right] = [this.gutter, this.width];
    let drawn = -1;
    for (let at = lane.firstAfter(from); at < lane.spans.length && lane.spans[at].from <= to; at += 1) {
      const span = lane.spans[at];
      if (layer !== (span.kind === "suspended" || span.kind === "ready" ? span.kind : "run")) continue;
      const begin = Math.max(left, this.x(this.begin(side, span)));
      const end = Math.min(right, this.x(this.end(side, span)));
      // What is narrower than a pixel is drawn once for all that fall into it.
      if (begin > right || end < left || end < drawn) continue;
      this.paint.span(span, begin, end, y);
      if (span.text && end - begin > 24) this.captions.push([span, begin, end - begin, y, this.paint.to.globalAlpha]);
      drawn = Math.max(begin + 1, end);
    }
  }

  /** Arrows from who woke or spawned to whom, if both lanes are shown; fewer, if they would be a wall. */
  drawArrows(top) {
    const places = new Map(this.rows.filter((row) => row.lane).map((row) => [row.lane, row.y - top]));
    this.sides.forEach((side, number) => {
      const { arrows } = this.lanes[number];
      const [from, to] = this.window(side);
      const first = this.lanes[number].firstArrow(from);
      let drawn = -Infinity;
      for (let at = first; at < arrows.length && arrows[at].at <= to; at += 1) {
        const arrow = arrows[at];
        const [start, end] = [places.get(arrow.from), places.get(arrow.to)];
        const x = this.x(this.byTime ? side.times[arrow.at] : arrow.at + 0.5);
        if (start === undefined || end === undefined || x < this.gutter || x - drawn < 3) continue;
        const current = this.player.at(number) - 1 === arrow.at;
        this.paint.arrow(x, start, end, current);
        drawn = x;
      }
    });
  }

  drawRuler() {
    const { paint } = this;
    paint.ruler(this.width);
    if (this.byTime) {
      const step = niceStep(110 / this.scale);
      for (let at = Math.ceil(this.from / step) * step; this.x(at) < this.width; at += step) paint.tick(this.x(at), span(at));
    } else {
      const [side] = this.sides;
      const [from, to] = this.window(side);
      let free = this.gutter;
      // The turn that goes on at the left end is named there, if there is room for it.
      const begun = firstAt(side.turns, Math.ceil(this.from)) - 1;
      const next = side.turns[begun + 1] ?? Infinity;
      if (begun >= 0 && this.x(next) > this.gutter + 80) {
        paint.tick(this.gutter, `turn ${grouped(side.events[side.turns[begun]].turn)}`);
        free = this.gutter + 70;
      }
      for (let at = Math.max(0, firstAt(side.turns, from) - 1); at < side.turns.length && side.turns[at] <= to; at += 1) {
        const x = this.x(side.turns[at]);
        if (x < this.gutter) continue;
        const text = `turn ${grouped(side.events[side.turns[at]].turn)}`;
        paint.tick(x, x >= free ? text : "");
        if (x >= free) free = x + 70;
      }
    }
    paint.corner(this.gutter, this.byTime ? "time" : "order of events");
  }

  /** The moment that is looked at: in the order of events a column, in time a line. */
  drawNowMark(height) {
    const at = this.now();
    const [from, to] = this.byTime ? [at, at] : [at - 1, at];
    if (this.x(to) >= this.gutter) this.paint.now(this.x(from), this.x(to), height, this.gutter);
  }

  listen() {
    const { scroller, canvas } = this;
    scroller.addEventListener("scroll", () => this.drawNow());
    new ResizeObserver(() => this.resized()).observe(scroller);
    canvas.addEventListener("pointerdown", (event) => this.pressed(event));
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY / 200), event.offsetX);
      else if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) this.pan(this.from + sideways / this.scale);
      else return;
      event.preventDefault();
    }, { passive: false });
  }

  resized() {
    const before = this.room;
    this.width = this.scroller.clientWidth;
    // What was all to be seen is so again.
    if (this.scale && Math.abs(before / this.length - this.scale) < 1e-9) this.scale = this.room / this.length;
    this.draw();
  }

  pressed(event) {
    this.pointers.set(event.pointerId, event.offsetX);
    const row = this.rows.find(({ y }) => event.offsetY + this.scroller.scrollTop >= y && event.offsetY + this.scroller.scrollTop < y + this.lane);
    if (event.offsetX < this.gutter) {
      if (row?.lane?.sort === "task") this.player.follow(row.number, row.lane.id);
      else if (row?.idle) this.onidle?.();
      return this.pointers.delete(event.pointerId);
    }
    this.canvas.setPointerCapture(event.pointerId);
    if (this.pointers.size === 1) this.scrub(event.offsetX);
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) return;
    const distance = () => Math.abs([...this.pointers.values()].reduce((one, other) => one - other));
    if (this.pointers.size === 1) this.scrub(event.offsetX);
    const was = distance();
    this.pointers.set(event.pointerId, event.offsetX);
    // Two fingers: what is between them stays between them.
    if (this.pointers.size === 2 && was > 20) this.zoom(distance() / was, [...this.pointers.values()].reduce((one, other) => (one + other) / 2));
  }

  scrub(x) {
    const unit = this.unit(Math.max(this.gutter, x));
    if (this.byTime) this.player.goToTime(unit);
    else this.player.go(Math.floor(unit) + 1);
  }
}

/** The first index whose value is `wanted` or more. */
function firstAt(values, wanted) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A step of 1, 2 or 5 of some power of ten, no smaller than `least`. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
}
