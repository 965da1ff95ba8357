// The moment that is looked at, and the ways to another one: by event, poll and turn, forwards and backwards, in play.
//
// With two recordings, the events of both are gone through in the order of their times.

/** Units a second in play at normal speed, where each step is as long as any other. */
const PACE = 2;

class Player {
  constructor(sides) {
    this.sides = sides;
    this.position = 0; // how many events have happened, of both sides together
    this.clock = 0; // the time that is looked at
    this.unit = "event";
    this.speed = 1;
    this.followed = null; // {side, id}: only what is about this task is stopped at
    this.listeners = [];
    this.merge();
  }

  /** The order of both sides' events: for each position the side, and how many of the first side's came before. */
  merge() {
    const [one, other] = this.sides;
    this.length = one.length + (other?.length ?? 0);
    if (!other) return;
    [this.order, this.before] = [new Uint8Array(this.length), new Int32Array(this.length + 1)];
    for (let at = 0, first = 0; at < this.length; at += 1) {
      const second = at - first;
      const isFirst = second >= other.length || (first < one.length && one.times[first] <= other.times[second]);
      this.order[at] = isFirst ? 0 : 1;
      first += isFirst ? 1 : 0;
      this.before[at + 1] = first;
    }
  }

  /** How many of a side's events have happened. */
  at(side) {
    if (this.sides.length === 1) return this.position;
    return side === 0 ? this.before[this.position] : this.position - this.before[this.position];
  }

  /** The side and index of the event at a position, from 1. */
  eventAt(position) {
    if (this.sides.length === 1) return [0, position - 1];
    const side = this.order[position - 1] ?? 0; // if both are empty
    return [side, (side === 0 ? this.before[position] : position - this.before[position]) - 1];
  }

  /** The position after an event of a side. */
  positionOf(side, index) {
    if (this.sides.length === 1) return index + 1;
    const reached = (position) => (side === 0 ? this.before[position] : position - this.before[position]) > index;
    let [low, high] = [1, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (reached(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Whether an event is one to stop at. */
  isStop(position, unit) {
    const [side, index] = this.eventAt(position);
    const { k } = this.sides[side].events[index];
    if (this.followed && unit !== "turn") {
      if (side !== this.followed.side || !this.sides[side].isOf(index, this.followed.id)) return false;
    }
    if (unit === "poll") return k === "poll_begin" || k === "callback_begin";
    return unit === "event" || k === "turn_begin";
  }

  go(position, clock = null) {
    this.position = Math.max(Math.min(1, this.length), Math.min(Math.round(position) || 0, this.length));
    const times = this.sides.map((side, number) => side.times[this.at(number) - 1] ?? 0);
    this.clock = clock ?? Math.max(...times);
    for (const listener of this.listeners) listener();
  }

  /** To the last moment of a time. */
  goToTime(time) {
    const latest = Math.max(...this.sides.map((side) => side.times.at(-1) ?? 0));
    const clock = Math.max(0, Math.min(time, latest));
    const passed = this.sides.map((side) => firstAt(side.times, clock + 0.5));
    this.go(passed.reduce((sum, number) => sum + number, 0), clock);
  }

  /** By one unit; at the last one to the end. Returns whether there was anywhere to go. */
  step(direction, unit = this.unit) {
    let position = this.position + direction;
    while (position >= 1 && position <= this.length && !this.isStop(position, unit)) position += direction;
    const moved = position >= 1 && position <= this.length;
    const end = direction > 0 ? this.length : 1;
    if (moved || !this.followed) this.go(moved ? position : end);
    return moved;
  }

  /** Only what is about this task is stopped at from now on; again, and all is. */
  follow(side, id) {
    const again = this.followed?.side === side && this.followed.id === id;
    this.followed = again || id === null ? null : { side, id };
    this.go(this.position);
  }

  get playing() {
    return this.timer !== undefined;
  }

  /** Goes on by itself: by units, or, with `byTime`, as time goes by. */
  play(byTime) {
    this.pause();
    if (this.position === this.length) this.go(1);
    let last = performance.now();
    let owed = 0;
    const rate = this.rate();
    const tick = (now) => {
      const passed = Math.min(200, now - last) / 1_000;
      last = now;
      this.timer = requestAnimationFrame(tick);
      if (byTime) this.goToTime(this.clock + passed * rate * this.speed);
      for (owed += byTime ? 0 : passed * PACE * this.speed; owed >= 1; owed -= 1) {
        if (!this.step(1)) this.pause();
      }
      if (this.position === this.length) this.pause();
    };
    this.timer = requestAnimationFrame(tick);
    this.go(this.position, this.clock);
  }

  pause() {
    if (this.timer === undefined) return;
    cancelAnimationFrame(this.timer);
    this.timer = undefined;
    this.go(this.position, this.clock);
  }

  /** Nanoseconds of the run to a second of play: as it was, if that is bearable; otherwise in twelve seconds. */
  rate() {
    const total = Math.max(1, ...this.sides.map((side) => side.times.at(-1) ?? 0));
    return total >= 2e9 && total <= 20e9 ? 1e9 : total / 12;
  }
}
