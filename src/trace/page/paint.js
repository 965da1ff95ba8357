// The brush of the timeline: how a span, an arrow, a label looks. Colours come from the style sheet; each sort of wait
// has a pattern of its own beside its colour.

/** The pattern of each sort: lines and dots in a tile of 8 by 8. */
const PATTERNS = {
  time: (tile) => [[2, 2], [6, 6]].forEach(([x, y]) => { tile.moveTo(x - 1, y); tile.lineTo(x + 1, y); }),
  io: (tile) => [-4, 0, 4, 8].forEach((x) => { tile.moveTo(x - 1, 9); tile.lineTo(x + 9, -1); }),
  task: (tile) => [2, 6].forEach((y) => { tile.moveTo(0, y); tile.lineTo(8, y); }),
  object: (tile) => [[-1, -1, 9, 9], [-1, 9, 9, -1]].forEach(([a, b, c, d]) => { tile.moveTo(a, b); tile.lineTo(c, d); }),
  pool: (tile) => [2, 6].forEach((x) => { tile.moveTo(x, 0); tile.lineTo(x, 8); }),
  other: () => {},
};

class Paint {
  constructor(canvas) {
    this.canvas = canvas;
    this.to = canvas.getContext("2d");
    this.restyle();
  }

  /** Takes the colours anew: the theme may have changed. */
  restyle() {
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.font = style.getPropertyValue("--sans").trim() || "sans-serif";
    this.patterns = new Map();
  }

  begin(width, height, lane) {
    this.lane = lane;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const { canvas, to } = this;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    to.fillStyle = this.colour("panel");
    to.fillRect(0, 0, width, height);
    to.textBaseline = "middle";
  }

  alpha(alpha) {
    this.to.globalAlpha = alpha;
  }

  pattern(sort) {
    let pattern = this.patterns.get(sort);
    if (pattern) return pattern;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [8, 8];
    const tile = canvas.getContext("2d");
    tile.fillStyle = tile.strokeStyle = this.colour(`wait-${sort}`);
    tile.globalAlpha = 0.22;
    tile.fillRect(0, 0, 8, 8);
    tile.globalAlpha = 0.85;
    tile.lineWidth = sort === "time" ? 2 : 1.2;
    tile.beginPath();
    PATTERNS[sort](tile);
    tile.stroke();
    pattern = this.to.createPattern(canvas, "repeat");
    this.patterns.set(sort, pattern);
    return pattern;
  }

  span(span, from, end, y) {
    const { to, lane } = this;
    const width = Math.max(span.kind === "run" || span.kind === "job" ? 2.5 : 0.75, end - from);
    const roomy = width > 6;
    if (span.kind === "run" || span.kind === "job") {
      to.fillStyle = this.colour(span.kind === "run" ? "accent" : "wait-pool");
      this.box(from, y + 4, width - (roomy ? 1 : 0), lane - 8, 4);
      to.fill();
    } else if (span.kind === "ready") {
      to.strokeStyle = this.colour("accent");
      to.lineWidth = 1.5;
      to.fillStyle = this.colour("accent-faint");
      this.box(from + 0.75, y + 7, Math.max(1, width - 2), lane - 14, 3);
      to.fill();
      if (roomy) to.stroke();
    } else if (span.kind === "wait") {
      to.fillStyle = this.colour("line");
      this.box(from, y + lane / 2 - 4, width - (roomy ? 1 : 0), 8, 3);
      to.fill();
    } else {
      const sort = waitSort(span.wait);
      to.fillStyle = this.pattern(sort);
      this.box(from, y + lane / 2 - 6, width, 12, 2);
      to.fill();
    }
  }

  box(x, y, width, height, radius) {
    this.to.beginPath();
    this.to.roundRect(x, y, Math.max(0.5, width), height, Math.min(radius, width / 2));
  }

  /** What a span is, if there is room for it; upon a pattern it gets a plate of its own. */
  caption(span, x, width, y, alpha) {
    const { to } = this;
    const onPattern = span.kind === "suspended";
    to.font = `${onPattern ? 400 : 500} 12px ${this.font}`;
    const needed = to.measureText(span.text).width + (onPattern ? 28 : 10);
    if (needed > width) return;
    const middle = y + this.lane / 2;
    to.globalAlpha = alpha;
    if (onPattern) {
      to.fillStyle = this.colour("panel");
      to.fillRect(x + 10, middle - 8, needed - 16, 16);
    }
    to.fillStyle = this.colour(onPattern ? "quiet" : "on-accent");
    to.fillText(span.text, x + (onPattern ? 16 : 6), middle + 0.5);
    to.globalAlpha = 1;
  }

  /** How a task ended, where it ended: returned, was cancelled, or panicked. */
  ended(x, y, outcome) {
    const { to } = this;
    to.font = `700 13px ${this.font}`;
    to.textAlign = "center";
    to.fillStyle = this.colour(outcome === "panicked" ? "bad" : "quiet");
    to.fillText({ done: "✓", cancelled: "✕", panicked: "!" }[outcome] ?? "·", x, y + this.lane / 2);
    to.textAlign = "start";
  }

  label(lane, y, gutter) {
    const { to } = this;
    to.fillStyle = this.colour("panel");
    const alpha = to.globalAlpha;
    to.globalAlpha = 1;
    to.fillRect(0, y, gutter - 1, this.lane);
    to.globalAlpha = alpha;
    to.font = `${lane.sort === "task" ? 500 : 400} 13px ${this.font}`;
    to.fillStyle = this.colour(lane.sort === "task" ? "text" : "quiet");
    to.fillText(this.shortened(lane.name, gutter - 22), 14, y + this.lane / 2);
  }

  shortened(text, width) {
    if (this.to.measureText(text).width <= width) return text;
    let short = text.slice(0, 40);
    while (short && this.to.measureText(`${short}…`).width > width) short = short.slice(0, -1);
    return `${short}…`;
  }

  /** A line with words only: the name of a recording, or how many lanes are left out. */
  title(text, y, width, strong) {
    const { to } = this;
    to.font = `${strong ? 600 : 400} 13px ${this.font}`;
    to.fillStyle = this.colour(strong ? "text" : "quiet");
    to.fillText(this.shortened(text, width - 28), 14, y + this.lane / 2);
  }

  arrow(x, start, end, current) {
    const { to } = this;
    const down = end > start;
    const [from, tip] = [start + this.lane / 2, end + this.lane / 2 + (down ? -8 : 8)];
    to.strokeStyle = to.fillStyle = this.colour(current ? "text" : "arrow");
    to.lineWidth = current ? 2.5 : 1.25;
    to.beginPath();
    to.moveTo(x, from);
    to.lineTo(x, tip);
    to.stroke();
    to.beginPath();
    const size = current ? 5 : 3.5;
    to.moveTo(x, tip + (down ? 3 : -3));
    to.lineTo(x - size, tip + (down ? -size : size));
    to.lineTo(x + size, tip + (down ? -size : size));
    to.fill();
    to.beginPath();
    to.arc(x, from, current ? 3.5 : 2.25, 0, 7);
    to.fill();
  }

  ruler(width) {
    this.to.fillStyle = this.colour("panel");
    this.to.fillRect(0, 0, width, RULER);
    this.to.fillStyle = this.colour("line");
    this.to.fillRect(0, RULER - 1, width, 1);
  }

  tick(x, text) {
    const { to } = this;
    to.fillStyle = this.colour("line");
    to.fillRect(Math.round(x), text ? 6 : 16, 1, RULER - (text ? 6 : 16));
    to.font = `400 12px ${this.font}`;
    to.fillStyle = this.colour("quiet");
    if (text) to.fillText(text, x + 5, 13);
  }

  /** What the axis is, above the labels. */
  corner(gutter, text) {
    const { to } = this;
    to.fillStyle = this.colour("panel");
    to.fillRect(0, 0, gutter - 1, RULER - 1);
    to.font = `400 12px ${this.font}`;
    to.fillStyle = this.colour("quiet");
    to.fillText(this.shortened(text, gutter - 20), 14, 13);
  }

  now(from, end, height, gutter) {
    const { to } = this;
    const left = Math.max(gutter, from);
    if (end > left) {
      to.fillStyle = this.colour("now");
      to.fillRect(left, 0, end - left, height);
    }
    to.fillStyle = this.colour("text");
    to.fillRect(end - 1, 0, 2, height);
    to.beginPath();
    to.moveTo(end - 6, 0);
    to.lineTo(end + 6, 0);
    to.lineTo(end, 8);
    to.fill();
  }
}
