// The page in a real browser: node .ci/check_page.mjs FOLDER MODULES
//
// FOLDER holds what the test `write_what_the_browser_is_to_show` wrote, and in `course` what `oneloop learn --page` did;
// MODULES is a node_modules with playwright-core and axe-core. Every page is opened from its file, gone through in both directions, and looked at in both themes: no
// request, no error, the states of the crate's fold, and nothing that axe finds. Screenshots are left in FOLDER.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [folder, modules] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(modules, "x"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const state = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../tests/page/state.js"), "utf8");

const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Opens a page and waits until it shows something; everything it should not do is noted. */
async function open(name, { hash = "", shown = "body.ready", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.stack}`));
  page.on("request", (request) => request.url().startsWith("file:") || faults.push(`request: ${request.url()}`));
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  await page.goto(`file://${join(folder, name)}.html${hash}`);
  await page.waitForSelector(shown);
  const close = async () => {
    assert.deepEqual(faults, [], name);
    await context.close();
  };
  return { page, close };
}

const sentence = (page) => page.locator(".sentence").first().textContent();
const position = (page) => page.evaluate("oneloop.player.position");

/** Waits until something holds. (The driver's own way evaluates strings in the page, which its policy forbids.) */
async function until(page, expression) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await page.evaluate(expression)) return;
    await page.waitForTimeout(50);
  }
  assert.fail(`never: ${expression}`);
}

/** What axe finds. It is put in past the page's policy, which would not let it in. */
async function findings(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

/** The states of the crate's fold, forwards and then backwards, as the page shows them by its own steps. */
async function states(name) {
  const { page, close } = await open(name);
  const wanted = JSON.parse(readFileSync(join(folder, `${name}.states.json`), "utf8"));
  const canonical = `(() => { ${state}; return canonical(stateOf(oneloop.views[0].recording.world(oneloop.player.at(0)), oneloop.views[0].recording.sites)); })()`;
  const expected = new Map(await page.evaluate(`((wanted) => { ${state}; return wanted.map(([at, value]) => [at, canonical(value)]); })(${JSON.stringify(wanted)})`));
  const last = await page.evaluate("oneloop.player.length");
  let compared = 0;
  for (const key of ["ArrowRight", "ArrowLeft"]) {
    for (let step = 0; step < Math.min(last, 300); step += 1) {
      const at = await position(page);
      if (expected.has(at)) assert.equal(await page.evaluate(canonical), expected.get(at), `${name}, after ${at} events`);
      compared += expected.has(at) ? 1 : 0;
      await page.keyboard.press(key);
    }
  }
  assert.equal(await position(page), 1, `${name}: as many steps back as forward`);
  await close();
  return compared;
}

/** Keys, buttons, links and following, on a small run. */
async function controls() {
  const { page, close } = await open("hello", { hash: "#seq=12" });
  assert.match(await sentence(page), /^Task 1 is suspended at examples\/hello\.rs:28, waiting for a sleep/);
  assert.match(await page.locator(".lines li.ran").textContent(), /sleep\(Duration::from_secs\(3\)\)\.await;/);
  await page.keyboard.press("p");
  assert.match(await sentence(page), /^The loop polls task 0 \(main\) for the 2nd time/);
  await page.keyboard.press("Shift+ArrowLeft");
  assert.match(await sentence(page), /^The loop polls task 1 for the 1st time/);
  await page.keyboard.press("t");
  assert.match(await sentence(page), /^Turn 2 begins/);
  await page.keyboard.press("End");
  assert.match(await sentence(page), /^The run ended/);
  await page.keyboard.press("Home");
  await page.locator(".choice button", { hasText: "poll" }).click();
  await page.locator("[aria-label='One step on']").click();
  assert.match(await sentence(page), /^The loop polls task 0 \(main\) for the 1st time/);
  await page.locator(".because a").click();
  // The browser tells of the new address a little later.
  await until(page, "location.hash === '#seq=0' && oneloop.player.position === 1");
  assert.match(await sentence(page), /^The program spawned task 0/);
  await page.evaluate("oneloop.player.go(20)");
  await page.locator("button.task", { hasText: "task 1" }).click();
  await page.keyboard.press("ArrowRight");
  assert.match(await sentence(page), /ask 1\b/, "only what is about the followed task is stopped at");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate("oneloop.player.followed"), null);
  await page.keyboard.press("Home");
  await page.evaluate("oneloop.player.speed = 64");
  await page.keyboard.press(" ");
  await until(page, "oneloop.player.position === oneloop.player.length && !oneloop.player.playing");
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog[open]").isVisible());
  assert.deepEqual(await findings(page), []);
  await page.locator("dialog[open] button").click();
  await page.locator(".scroller canvas").click({ position: { x: 400, y: 60 } });
  assert.notEqual(await position(page), await page.evaluate("oneloop.player.length"), "a click in the timeline goes there");
  await close();
}

/** Names that would do harm are text; nothing of them has become an element. */
async function hostile() {
  const { page, close } = await open("hostile", { hash: "#seq=150" });
  assert.equal(await page.locator("img, iframe, object, embed").count(), 0);
  assert.match(await page.locator(".task .name").first().textContent(), /<\/script><img src=x onerror=alert\(1\)>/);
  await close();
}

/** Recordings in which nothing happened, alone and beside others: there is nowhere to go, and nothing fails. */
async function empty() {
  for (const [name, last] of [["none-none", 0], ["none-hello", null], ["hello-none", null]]) {
    const { page, close } = await open(name, { hash: "#seq=-1&side=2" });
    for (const key of ["ArrowRight", "End", "p", "t", "a", "i", "Home", "ArrowLeft", "+", "0", "End"]) await page.keyboard.press(key);
    assert.equal(await position(page), last ?? (await page.evaluate("oneloop.player.length")), name);
    await until(page, "/^#seq=\\d+/.test(location.hash) && !location.hash.includes('-1')");
    await close();
  }
}

/** A script that is not the page's own does not run, and nothing is asked for, even if somebody gets it into the page. */
async function policy() {
  const { page } = await open("hello");
  const refused = await page.evaluate(`(async () => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    const image = new Promise((done) => {
      const image = document.createElement("img");
      [image.onload, image.onerror] = [() => done("loaded"), () => done("refused")];
      image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
      document.body.append(image);
    });
    const asked = fetch("data:text/plain,x").then(() => "answered", () => "refused");
    return [window.ran ?? "refused", await image, await asked];
  })()`);
  assert.deepEqual(refused, ["refused", "refused", "refused"]);
  await page.context().close();
}

/** How each page looks to axe, small and large, light and dark, at its beginning, in its middle, and at its end. */
async function looks(name) {
  for (const [size, colorScheme] of [[[1440, 900], "light"], [[1024, 768], "dark"], [[390, 844], "light"], [[390, 844], "dark"], [[720, 450], "light"]]) {
    const [width, height] = size;
    const { page, close } = await open(name, { viewport: { width, height }, colorScheme, hasTouch: width < 500 });
    for (const part of [0, 0.5, 1]) {
      await page.evaluate(`oneloop.player.go(Math.round(${part} * oneloop.player.length))`);
      assert.deepEqual(await findings(page), [], `${name} at ${width}×${height}, ${colorScheme}`);
      if (part === 0.5) await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
    }
    const wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    assert.ok(!wide, `${name} at ${width}×${height} is wider than the screen`);
    await close();
  }
}

/** The course: its list, and lessons on a large screen and on a small one, where links lead to a stop's moment and back. */
async function course() {
  for (const [width, height, colorScheme] of [[1280, 800, "light"], [390, 844, "dark"]]) {
    const options = { viewport: { width, height }, colorScheme, hasTouch: width < 500 };
    const list = await open("course/index", { shown: ".course", ...options });
    assert.deepEqual(await findings(list.page), [], "the list of lessons");
    const lessons = await list.page.locator(".course li a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    await list.close();
    assert.ok(lessons.length > 30, `only ${lessons} are listed`);
    for (const lesson of lessons.filter((_, number) => number % 8 === 0)) {
      const name = `course/${lesson.replace(".html", "")}`;
      const { page, close } = await open(name, options);
      assert.match(await page.locator("h1").textContent(), /^Lesson \d+$/);
      await page.locator(".stop h3 a").nth(1).click();
      await until(page, "oneloop.stops.last === oneloop.stops.list[1]");
      assert.ok(await page.locator(".sentence").evaluate((text) => text.getBoundingClientRect().top < innerHeight / 2), `${name}: the moment is not in sight`);
      for (const answer of await page.locator(".lesson summary").all()) await answer.click();
      assert.deepEqual(await findings(page), [], `${name} at ${width}×${height}`);
      if (width < 1200) await page.locator(".to-stop").click();
      assert.ok(await page.locator(".stop").nth(1).evaluate((stop) => stop.getBoundingClientRect().top < innerHeight), `${name}: the question is not in sight`);
      await close();
    }
  }
}

/** How long 100,000 events take: printed, and held only to what would be felt. */
async function speed() {
  const { page, close } = await open("long");
  const opened = await page.evaluate("performance.now()");
  const measured = await page.evaluate(`(async () => {
    const { player } = oneloop;
    const timed = async (act, times) => {
      const began = performance.now();
      for (let at = 0; at < times; at += 1) { act(at); oneloop.timeline.drawNow(); }
      return (performance.now() - began) / times;
    };
    return {
      end: await timed(() => player.go(player.length), 1),
      back: await timed(() => player.step(-1), 100),
      on: await timed(() => player.step(1), 100),
      jump: await timed((at) => player.go((at * 7919) % player.length), 50),
      all: await timed(() => oneloop.timeline.fit(true), 5),
    };
  })()`);
  const length = await page.evaluate("oneloop.player.length");
  const ms = (value) => `${value.toFixed(1)} ms`;
  console.log(`${length} events: open in ${ms(opened)}; first to the end ${ms(measured.end)}; a step on ${ms(measured.on)}, back ${ms(measured.back)}; a jump ${ms(measured.jump)}; the whole timeline drawn in ${ms(measured.all)}`);
  assert.ok(opened < 10_000 && measured.back < 500 && measured.on < 500, "that would be felt");
  await close();
}

let compared = 0;
const names = readdirSync(folder).filter((name) => name.endsWith(".states.json")).map((name) => name.replace(".states.json", ""));
assert.ok(names.length >= 10, `only ${names} are there`);
for (const name of names) compared += await states(name);
assert.ok(compared > 200, `only ${compared} states were compared`);
await controls();
await hostile();
await empty();
await policy();
for (const name of ["hello", "spinner", "crawler", "hostile", "pair"]) await looks(name);
await course();
await speed();
await browser.close();
console.log(`the page: ${compared} states of ${names.length} runs compared while stepping, both ways`);
