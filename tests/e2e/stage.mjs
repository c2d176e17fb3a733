// What the script plays on: the demo, a receiver of webhooks, and tabs whose console and looks are watched.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
/** Far beyond what anything takes on a slow machine with other work. */
export const PATIENCE_MS = 300_000;

export const LOOKS = [
  { name: "dark", width: 1440, height: 900, colorScheme: "dark" },
  { name: "light", width: 1440, height: 900, colorScheme: "light" },
  { name: "narrow", width: 320, height: 800, colorScheme: "dark" },
];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** Starts the demo on a free port; its first lines hold the address with the key. It ends by itself in any case. */
export async function startDemo(program, allowed) {
  const args = ["demo", "--for", "30m", ...(allowed ? ["--allow-target", allowed] : [])];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGTERM"));
  const url = await new Promise((found, failed) => {
    let said = "";
    const late = setTimeout(() => failed(new Error(`the demo gave no address: ${said}`)), PATIENCE_MS);
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`the demo ended with ${code}: ${said}`)));
    child.stdout.on("data", (bytes) => {
      said += bytes;
      const match = said.match(/http:\S+#key=\S+/);
      if (match) {
        clearTimeout(late);
        found(new URL(match[0]));
      }
    });
  }).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return { child, url };
}

export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await ended;
  clearTimeout(late);
}

/** Takes webhooks on a free port and keeps them; answers with `receiver.status`. */
export async function startReceiver() {
  const receiver = { status: 204, got: [] };
  const server = createServer(async (request, answer) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    receiver.got.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
    answer.writeHead(receiver.status).end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  receiver.host = `127.0.0.1:${server.address().port}`;
  receiver.close = () => server.close();
  return receiver;
}

/** The event of a webhook, after its signature was checked as the Standard Webhooks specification says. */
export function verified({ headers, body }, secret) {
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const expected = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  assert.equal(headers["webhook-signature"], expected, "the signature is that of the secret");
  return JSON.parse(body);
}

export const startBrowser = (executablePath) => chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE_MS });

/** A tab that remembers everything its console says, and every address that is not there. */
export async function openTab(browser, look, said) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height },
    colorScheme: look.colorScheme,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("console", (message) => said.push(`${look.name}: ${message.type()}: ${message.text()}`));
  page.on("response", (answer) => answer.status() === 404 && said.push(`${look.name}: 404: ${answer.url()}`));
  page.on("pageerror", (error) => said.push(`${look.name}: ${error}`));
  return page;
}

/** Repeats `look` until it says true. */
export async function until(what, look) {
  const start = performance.now();
  while (!(await look())) {
    assert.ok(performance.now() - start < PATIENCE_MS, `${what()} after ${PATIENCE_MS / 1000} s`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return performance.now() - start;
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Takes a picture of the page, asks axe about it, and sees that nothing scrolls sideways; once it has loaded. */
export async function inspect(page, folder, look, name, { busy = false } = {}) {
  if (!busy) await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  await page.evaluate(() => {
    const ends = (animation) => Number.isFinite(animation.effect.getComputedTiming().endTime);
    return Promise.allSettled(document.getAnimations().filter(ends).map((animation) => animation.finished));
  });
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
