// A wall of many streams in a real browser: when it is painted, and what a keystroke in the filter costs.
//
//   node wall.mjs PROGRAM CHROMIUM STREAMS    the page is the program's; the wall's answer is made here

import assert from "node:assert/strict";
import { LOOKS, openTab, startBrowser, startDemo, stop } from "./stage.mjs";

const [program, browserPath, streams] = process.argv.slice(2);
const count = Number(streams);
const RUNS = 5;
const TYPED = "channel 42";

const STATES = ["healthy", "healthy", "healthy", "healthy", "degraded", "unhealthy", "no_data", "paused"];

/** Streams in all states, with names and reasons as long as real ones. */
function madeUp() {
  const now = new Date().toISOString();
  const tiles = Array.from({ length: count }, (_, index) => {
    const state = STATES[index % STATES.length];
    const ill = state === "degraded" || state === "unhealthy";
    return {
      id: `str_${String(index).padStart(26, "0")}`,
      name: `Regional channel ${index} ${index % 2 ? "HD" : "4K"}`,
      state,
      since_at: new Date(Date.now() - index * 1000).toISOString(),
      playlist_state: ill ? "HTTPError" : "Live",
      reason: ill ? "no variant can be played; playlist does not load: HTTP 503" : undefined,
      incident: state === "unhealthy" ? "open" : undefined,
      tags: ["country=CH", `package=p${index % 9}`],
    };
  });
  const counts = Object.fromEntries(STATES.map((state) => [state, tiles.filter((t) => t.state === state).length]));
  return JSON.stringify({ as_of: now, probed_at: now, version: "1", counts, tiles });
}

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const spread = (numbers) => `median ${middle(numbers).toFixed(0)} ms, most ${Math.max(...numbers).toFixed(0)} ms`;

/** Milliseconds from the start of the navigation to the frame that shows tiles. */
const painted = () => new Promise((done) => {
  const look = () => document.querySelector(".tile")
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now())))
    : requestAnimationFrame(look);
  look();
});

/** Notes for each input how long it was from the key to the frame that shows what it does. */
const listen = () => {
  window.keystrokes = [];
  addEventListener("input", (event) => {
    requestAnimationFrame(() => setTimeout(() => window.keystrokes.push(performance.now() - event.timeStamp)));
  }, true);
};

async function run(browser, url, body) {
  const page = await openTab(browser, LOOKS[0], []);
  await page.route("**/api/v1/wall*", (route) => route.fulfill({
    contentType: "application/json", headers: { etag: '"1"' }, body,
  }));
  await page.goto(url.href, { waitUntil: "commit" });
  const paint = await page.evaluate(painted);
  assert.equal(await page.locator(".under-bar [role=status]").innerText(), `${count} streams`);
  await page.evaluate(listen);
  await page.keyboard.press("/");
  for (const [index, letter] of [...TYPED].entries()) {
    await page.keyboard.press(letter === " " ? "Space" : letter);
    await page.waitForFunction((seen) => window.keystrokes.length > seen, index);
  }
  const matching = Array.from({ length: count }, (_, index) => `${index}`).filter((index) => index.includes("42"));
  await page.getByText(`${matching.length} of ${count} streams`).waitFor();
  const keystrokes = await page.evaluate(() => window.keystrokes);
  await page.context().close();
  return { paint, keystrokes };
}

let demo;
let browser;
try {
  demo = await startDemo(program);
  browser = await startBrowser(browserPath);
  const body = madeUp();
  const runs = [];
  for (let index = 0; index < RUNS; index += 1) runs.push(await run(browser, demo.url, body));
  console.log(`${count} streams, ${body.length} bytes, ${RUNS} runs`);
  console.log(`tiles painted:            ${spread(runs.map((run) => run.paint))}`);
  console.log(`keystroke in the filter:  ${spread(runs.flatMap((run) => run.keystrokes))}`);
} finally {
  await browser?.close();
  if (demo) await stop(demo.child);
}
