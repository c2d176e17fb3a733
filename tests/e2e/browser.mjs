// The first minute of a newcomer, in a real browser and by keyboard where that is quicker: nine tiles in their states;
// break a stream, watch it turn, open it, acknowledge, heal, see it resolved. The console stays empty and axe finds
// nothing, on every page, dark, light and 320 px wide.
//
//   node browser.mjs PROGRAM CHROMIUM FOLDER    FOLDER gets a picture of every page

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [program, browserPath, folder] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const LOOKS = [
  { name: "dark", width: 1440, height: 900, colorScheme: "dark" },
  { name: "light", width: 1440, height: 900, colorScheme: "light" },
  { name: "narrow", width: 320, height: 800, colorScheme: "dark" },
];

// What the demo's streams come to; the flapping one goes up and down.
const STATES = {
  "Steady": ["HEALTHY"],
  "One dead variant": ["DEGRADED"],
  "Missing segments": ["UNHEALTHY"],
  "Stalled playlist": ["UNHEALTHY"],
  "Playlists unavailable": ["UNHEALTHY"],
  "Slow segments": ["UNHEALTHY"],
  "Flapping": ["UNHEALTHY", "HEALTHY", "DEGRADED"],
  "Sequence jumps": ["DEGRADED"],
  "Ended": ["HEALTHY"],
};

/** Starts the demo on a free port; its first lines hold the address with the key. */
async function startDemo() {
  const child = spawn(program, ["demo"], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((found, failed) => {
    let said = "";
    const late = setTimeout(() => failed(new Error(`no address within 30 s: ${said}`)), 30_000);
    child.once("exit", (code) => failed(new Error(`the demo ended with ${code}: ${said}`)));
    child.stdout.on("data", (bytes) => {
      said += bytes;
      const match = said.match(/http:\S+#key=\S+/);
      if (match) {
        clearTimeout(late);
        found(new URL(match[0]));
      }
    });
  });
  return { child, url };
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await ended;
  clearTimeout(late);
}

/** A tab that remembers everything its console says. */
async function openTab(browser, look, said) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height },
    colorScheme: look.colorScheme,
  });
  const page = await context.newPage();
  page.on("console", (message) => said.push(`${look.name}: ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`${look.name}: ${error}`));
  return page;
}

const tile = (page, name) => page.locator(".tile", { has: page.locator("strong", { hasText: new RegExp(`^${name}$`) }) });

/** Waits until a tile shows one of the states; answers how long that took. */
async function waitForState(page, name, states, within) {
  const start = performance.now();
  const word = tile(page, name).locator(".top b");
  for (;;) {
    const now = (await word.count()) ? await word.innerText() : "no tile";
    if (states.includes(now)) return performance.now() - start;
    assert.ok(performance.now() - start < within, `${name} is ${now}, not ${states.join(" or ")}, after ${within} ms`);
    await page.waitForTimeout(100);
  }
}

async function inspect(page, look, name) {
  // A picture of the page at rest: what points something out for two seconds is over.
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folder, `${name}-${look.name}.png`), fullPage: look.width < 400 });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Runtime.evaluate", { expression: axe });
  const expression = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((found) => JSON.stringify(
    found.violations.map((v) => v.id + ": " + v.help + " at " + v.nodes.map((n) => n.target.join(" ")).join(", "))))`;
  const { result } = await devtools.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  assert.deepEqual(JSON.parse(result.value), [], `axe on ${name}, ${look.name}`);
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.ok(!isWide, `${name} scrolls sideways at ${look.width} px`);
  await devtools.detach();
}

async function firstMinute(page, url) {
  const look = LOOKS[0];
  await page.goto(url.href);
  await page.waitForSelector(".tile");
  assert.equal(new URL(page.url()).hash, "", "the key is not left in the address");
  assert.equal(await page.locator(".tile").count(), 9);
  for (const [name, states] of Object.entries(STATES)) await waitForState(page, name, states, 60_000);
  console.log("nine tiles are in their states");
  await inspect(page, look, "wall");

  const [stream, fault] = [page.locator(".sheet select").nth(0), page.locator(".sheet select").nth(1)];
  await page.getByText("Break a stream").click();
  await stream.selectOption({ label: "Steady" });
  const unavailable = fault.locator("option", { hasText: /503|unavailable/i }).first();
  await fault.selectOption(await unavailable.getAttribute("value"));
  await page.getByRole("button", { name: "Break it" }).click();
  const turned = await waitForState(page, "Steady", ["UNHEALTHY"], 40_000);
  console.log(`broken: the tile turned after ${(turned / 1000).toFixed(1)} s`);

  await page.keyboard.press("/");
  await page.keyboard.type("steady");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/streams\/str_/);
  await page.locator(".entries li").first().waitFor();
  await page.locator(".incident-line").waitFor({ timeout: 20_000 });
  await inspect(page, look, "stream");
  await page.locator("h1").click();
  await page.keyboard.press("a");
  await page.locator(".incident-line", { hasText: "ACKNOWLEDGED" }).waitFor({ timeout: 10_000 });
  console.log("acknowledged with one key");
  await page.locator(".incident-line a").click();
  await page.waitForURL(/\/incidents\//);
  await page.locator(".entries li").first().waitFor();
  const incident = page.url();

  await page.getByRole("navigation", { name: "Main" }).getByText("Wall").click();
  await page.getByText("Break a stream").click();
  await stream.selectOption({ label: "Steady" });
  await page.getByRole("button", { name: "Heal it" }).click();
  await waitForState(page, "Steady", ["HEALTHY"], 240_000);
  await page.goto(incident);
  await page.locator(".head .chip", { hasText: "RESOLVED" }).waitFor({ timeout: 120_000 });
  console.log("healed and resolved");
  return new URL(incident).pathname;
}

/** Every page, as people with other screens see it. */
async function everyPage(browser, url, incident, said) {
  for (const look of LOOKS) {
    const page = await openTab(browser, look, said);
    await page.goto(url.href);
    await page.waitForSelector(".tile");
    const stream = await tile(page, "Missing segments").getAttribute("href");
    const pages = {
      "wall": "/", "nothing-matches": "/?q=nothing+of+this+name", "stream": stream, "settings": `${stream}/settings`,
      "incidents": "/incidents", "incident": incident, "add": "/streams/new", "not-found": "/nowhere/at/all",
    };
    for (const [name, path] of Object.entries(pages)) {
      if (name === "not-found") {
        // Reached inside the page: typed, the server says so itself.
        await page.evaluate((to) => {
          const link = Object.assign(document.createElement("a"), { href: to });
          document.querySelector("main").append(link);
          link.click();
        }, path);
      } else {
        await page.goto(new URL(path, url).href);
      }
      await page.locator("h1").first().waitFor({ state: "attached" });
      await page.waitForLoadState("networkidle");
      await inspect(page, look, name);
    }
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    await inspect(page, look, "sign-in");
    await page.context().close();
  }
  console.log("every page: axe finds nothing, no sideways scrolling");
}

await mkdir(folder, { recursive: true });
const { child, url } = await startDemo();
let browser;
try {
  browser = await chromium.launch({ executablePath: browserPath, args: FLAGS });
  const said = [];
  const page = await openTab(browser, LOOKS[0], said);
  const incident = await firstMinute(page, url);
  await everyPage(browser, url, incident, said);
  assert.deepEqual(said, [], "the console stays empty");
} finally {
  await browser?.close();
  await stop(child);
}
