// Whether the page's fold gives the crate's states: `node tests/page/fold.mjs FOLDER`, with what `tests/page` wrote there.
// For each NAME.states.json it takes the events out of NAME.html, and goes through them to each moment, forwards and back.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import { gunzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
const script = ["../../src/trace/page/fold.js", "../../src/trace/page/snapshot.js", "state.js"].map((file) => readFileSync(join(here, file), "utf8"));
const { History, worldOf, stateOf, canonical } = runInThisContext(
  `(() => { ${script.join("\n")}\nreturn { History, worldOf, stateOf, canonical }; })()`,
);

let compared = 0;
const names = readdirSync(folder).filter((name) => name.endsWith(".states.json"));
for (const name of names) {
  const page = readFileSync(join(folder, name.replace(".states.json", ".html")), "utf8");
  const text = page.match(/<script type="text\/plain" class="recording">([^<]*)<\/script>/)[1];
  const data = JSON.parse(gunzipSync(Buffer.from(text, "base64")));
  const sites = new Map(data.sites.map((site) => [site.id, site]));
  const states = JSON.parse(readFileSync(join(folder, name), "utf8"));
  const history = new History(data.events, worldOf(data.begin));
  for (const [at, wanted] of [...states, ...[...states].reverse()]) {
    const [given, expected] = [canonical(stateOf(history.go(at), sites)), canonical(wanted)];
    if (given !== expected) {
      console.error(`${name}, after ${at} events:\n  the page:  ${given}\n  the crate: ${expected}`);
      process.exit(1);
    }
    compared += 1;
  }
}
if (compared < 100) {
  console.error(`only ${compared} states were compared, in ${names.length} runs`);
  process.exit(1);
}
console.log(`${compared} states of ${names.length} runs are equal`);
