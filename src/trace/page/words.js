// How times, lines and states are said: the words of src/trace/narrate, where they are needed beside the sentences.

/** Who is behind an event that no other event led to, where that is not the program. */
const ORIGINS = {
  turn_begin: "The loop goes round by itself.", turn_end: "The loop goes round by itself.",
  wait_begin: "Step 2 of each turn, unless the loop is too busy to look.", wait_end: "With that, step 2 of the turn is over.",
  clock_jump: "Nothing else could happen: in virtual time, nobody waits for the clock.", io_ready: "The operating system told the loop.",
};

/** What a task waits for, to be put after "waiting for"; and of which sort that is. */
const WAITS = {
  custom: ["a future that oneloop did not write", "other"],
  sleep: ["a sleep", "time"],
  yield: ["its next turn", "other"],
  join: ["a task to end", "task"],
  gather: ["several tasks to end", "task"],
  next_end: ["the next of several tasks to end", "task"],
  group: ["the tasks of a group to end", "task"],
  race: ["the first of two futures", "task"],
  timeout: ["a future, with a limit of time", "time"],
  job: ["a job of the blocking pool", "pool"],
  worker: ["a worker process", "pool"],
  readable: ["bytes to read", "io"],
  writable: ["room to write", "io"],
  connect: ["a connection to be made", "io"],
  accept: ["a connection to come in", "io"],
  lookup: ["the addresses of a name", "pool"],
  handshake: ["a TLS handshake", "io"],
  get: ["an item from a queue", "object"],
  put: ["room in a queue", "object"],
  queue_join: ["the last item of a queue to be done", "object"],
  acquire: ["a permit of a semaphore", "object"],
  lock: ["a mutex", "object"],
  condition: ["a condition to be notified", "object"],
  barrier: ["the others at a barrier", "object"],
  event: ["an event to be set", "object"],
  receive: ["a value from a oneshot sender", "object"],
  signal: ["a signal of the operating system", "io"],
  datagram: ["a datagram", "io"],
  exit: ["a child process to end", "io"],
  request: ["an HTTP request to be sent or accepted", "io"],
  response: ["the head of an HTTP response", "io"],
  body: ["the body of an HTTP response", "io"],
};

/** The sorts of waits, in the order of the legend. */
const SORTS = {
  time: "time",
  io: "I/O",
  task: "tasks",
  object: "a lock, a queue, an event…",
  pool: "the pool",
  other: "something else",
};

/** What is waited for; a word of a later version stands for itself. */
function waitText(word) {
  return Object.hasOwn(WAITS, word) ? WAITS[word][0] : String(word).replaceAll("_", " ");
}

function waitSort(word) {
  return Object.hasOwn(WAITS, word) ? WAITS[word][1] : "other";
}

/** A time in the unit that suits it: `812 ns`, `1.24 µs`, `12.4 ms`, `1.5 s`, `1 h 0 min 55 s`. */
function span(nanos) {
  // To three digits, or from a second on to milliseconds, before the unit is chosen.
  let step = 1;
  while (nanos / step >= 1_000 && step < 1e6) step *= 10;
  nanos = Math.round(nanos / step) * step;
  const decimal = (value) => String(Math.floor(value * 1_000 + 1e-6) / 1_000);
  if (nanos === 0) return "0 s";
  if (nanos < 1e3) return `${nanos} ns`;
  if (nanos < 1e6) return `${decimal(nanos / 1e3)} µs`;
  if (nanos < 1e9) return `${decimal(nanos / 1e6)} ms`;
  if (nanos < 60e9) return `${decimal(nanos / 1e9)} s`;
  const minutes = Math.floor(nanos / 60e9);
  const seconds = `${decimal((nanos - minutes * 60e9) / 1e9)} s`;
  return minutes < 60 ? `${minutes} min ${seconds}` : `${Math.floor(minutes / 60)} h ${minutes % 60} min ${seconds}`;
}

/** `1 timer`, `2 timers`; numbers in groups of three digits. */
function count(number, thing) {
  return `${grouped(number)} ${thing}${number === 1 ? "" : "s"}`;
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The last part of a path. */
function baseName(file) {
  return file.slice(file.lastIndexOf("/") + 1);
}

/** `hello.rs:28`. */
function placeText(site) {
  return site ? `${baseName(site.file)}:${site.line}` : "an unknown line";
}

/** Who did it, in a word or two. */
function actorText(by, recording) {
  if (by === "loop" || by === undefined) return "the program";
  if (by === "observer") return "the observer";
  const [sort, who] = Object.entries(by)[0] ?? ["?", ""];
  return sort === "task" ? recording.taskName(who) : `${sort} ${who}`;
}

/** The first of several, and whether there are more. */
function actorsText(several, recording) {
  return several.slice(0, 3).map((by) => actorText(by, recording)).join(", ") + (several.length > 3 ? " and others" : "");
}

/** What an I/O operation gave. */
function operationText(op, result) {
  const what = { connect: "connecting", accept: "accepting", read: "reading", write: "writing", wait: "waiting" }[op] ?? op;
  if (result === "eof") return `${what}: the end`;
  if (result === "would_block") return `${what} would block`;
  if (result && "error" in result) return `${what} failed: ${String(result.error).replaceAll("_", " ")}`;
  const bytes = result?.bytes ?? 0;
  return op === "read" || op === "write" ? `${what}: ${count(bytes, "byte")}` : `${what}: done`;
}
