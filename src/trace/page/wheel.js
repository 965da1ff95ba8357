// The timer wheel, drawn: a ring for each level, a tick for each of its 64 slots, a dot where a timer lies.

/** Radius of the outermost ring, level 0, and how much smaller each next one is. */
const [RADIUS, RING] = [66, 15];

/** The most rings that are drawn: the fourth turns once in 4.7 hours, the fifth in 12 days. */
const MOST_RINGS = 4;

class Wheel {
  constructor() {
    this.drawing = svg("svg", { viewBox: "-74 -74 148 148", class: "wheel", role: "img" });
    this.rings = [];
    for (let level = 0; level < MOST_RINGS; level += 1) {
      const radius = RADIUS - level * RING;
      const ring = svg("g", {}, svg("circle", { r: radius, class: "ring" }));
      for (let at = 0; at < 64; at += level > 1 ? 4 : 2) {
        const [x, y] = place(radius, at);
        ring.append(svg("circle", { cx: x, cy: y, r: 0.9, class: "tick" }));
      }
      const now = svg("circle", { r: 3.2, class: "now" });
      const dots = svg("g", { class: "dots" });
      ring.append(now, dots);
      this.drawing.append(ring);
      this.rings.push({ radius, ring, now, dots });
    }
  }

  /** Where the timers of a world lie. */
  update(world) {
    const slots = new Map();
    for (const timer of world.timers.values()) {
      const [level, at] = slot(timer.at, world.looked) ?? [0, Math.floor(world.looked / TICK) % 64];
      const name = `${Math.min(level, MOST_RINGS - 1)}/${at}`;
      slots.set(name, (slots.get(name) ?? 0) + 1);
    }
    let tick = Math.floor(world.looked / TICK);
    this.rings.forEach(({ radius, now, dots }, level) => {
      const [x, y] = place(radius, tick % 64);
      setAttribute(now, "cx", x);
      setAttribute(now, "cy", y);
      tick = Math.floor(tick / 64);
      const here = [...slots].filter(([name]) => name.startsWith(`${level}/`));
      dots.replaceChildren(...here.map(([name, number]) => {
        const [cx, cy] = place(radius, Number(name.split("/")[1]));
        return svg("circle", { cx, cy, r: Math.min(6, 3.6 + Math.log2(number)), class: "dot" });
      }));
    });
    setAttribute(this.drawing, "aria-label", `The timer wheel: ${count(world.timers.size, "timer")}.`);
  }
}

/** What the rings are. */
const RINGS_TEXT = "Rings from outside: slots of 1 ms, 64 ms, 4.1 s and 4.4 min. ○ now, ● a timer.";

/** The place of a slot on a ring, the first one on top. */
function place(radius, at) {
  const angle = (at / 64) * 2 * Math.PI - Math.PI / 2;
  return [radius * Math.cos(angle), radius * Math.sin(angle)].map((value) => Math.round(value * 100) / 100);
}
