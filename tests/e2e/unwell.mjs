// What every page is while the server is slow, unwell, or gone, and what a key that may only look is told.

import assert from "node:assert/strict";
import { LOOKS, inspect, openTab } from "./stage.mjs";

const API = "**/api/v1/**";

const PROBLEM = {
  type: "about:blank", title: "The store does not answer", status: 503, code: "store_unavailable",
  detail: "Nothing was changed; try again in a moment.", instance: "/api/v1", request_id: "req_0123456789", errors: [],
};

/** Opens a page while the API is slow and then unwell, and lets it get well. `ready` is there when it has. */
async function slowThenUnwell(page, folder, look, { name, url, ready }) {
  let answer;
  const held = new Promise((release) => (answer = release));
  await page.route(API, async (route) => {
    await held;
    await route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(PROBLEM) });
  });
  await page.goto(url);
  await page.locator("[aria-busy=true]").first().waitFor();
  await inspect(page, folder, look, `${name}-loading`, { busy: true });
  answer();
  const trouble = page.locator(".trouble").first();
  await trouble.getByRole("heading", { name: PROBLEM.title }).waitFor();
  await trouble.getByText(PROBLEM.request_id).waitFor();
  await inspect(page, folder, look, `${name}-error`);
  await page.unrouteAll({ behavior: "wait" });
  await trouble.getByRole("button", { name: "Try again" }).click();
  await page.locator(ready).first().waitFor();
  await trouble.waitFor({ state: "detached" });
}

/**
 * Takes the server away from a page that has data: it says so at the first poll that fails, calmly, keeps them, says
 * since when they are old, and recovers.
 */
async function gone(page, folder, look, { name, ready }) {
  await page.route(API, (route) => route.abort());
  await page.locator(".stale-bar.calm", { hasText: /No answer since \d\d:\d\d:\d\d UTC/ }).waitFor();
  assert.ok(await page.locator("body:not(.stale)").count(), `${name} is as it was at first`);
  await inspect(page, folder, look, `${name}-no-answer`);
  await page.locator(".stale-bar", { hasText: /Not updating since \d\d:\d\d:\d\d UTC/ }).waitFor();
  assert.ok(await page.locator(ready).count(), `${name} keeps what it has`);
  await inspect(page, folder, look, `${name}-stale`);
  await page.unrouteAll({ behavior: "wait" });
  await page.locator(".stale-bar").waitFor({ state: "detached" });
}

/** A key that may only look is offered nothing else, and told why. */
async function forbidden(page, folder, look, url, stream) {
  const secret = await page.evaluate(async () => {
    const headers = { Authorization: `Bearer ${sessionStorage.getItem("hlsops.key")}`, "Content-Type": "application/json" };
    const body = JSON.stringify({ name: "only looks", scope: "viewer" });
    return (await (await fetch("/api/v1/keys", { method: "POST", headers, body })).json()).secret;
  });
  assert.match(secret, /^hlsops_/);
  await page.evaluate((key) => sessionStorage.setItem("hlsops.key", key), secret);
  for (const [name, path] of [["wall", "/"], ["stream", stream], ["channels", "/channels"], ["add", "/streams/new"]]) {
    await page.goto(new URL(path, url).href);
    await page.getByText("This key may only read").first().waitFor();
    const offered = page.getByText(/^(Add a (stream|channel)|Acknowledge|Give back|Pause|Settings|Delete|Look)$/);
    assert.equal(await offered.count(), 0, `${name} offers nothing that would be refused`);
    await inspect(page, folder, look, `${name}-read-only`);
  }
}

/** In every look at the same time: most of it is waiting. `pages` are `[name, path, ready]`. */
export async function unwell(browser, url, folder, pages) {
  const said = [];
  await Promise.all(LOOKS.map(async (look) => {
    const page = await openTab(browser, look, said);
    await page.goto(url.href);
    await page.locator(".tile").first().waitFor();
    for (const [name, path, ready] of pages) {
      const place = { name, url: new URL(path, url).href, ready };
      await slowThenUnwell(page, folder, look, place);
      if (name === "wall" || name === "incident") await gone(page, folder, look, place);
    }
    await forbidden(page, folder, look, url, pages.find(([name]) => name === "stream")[1]);
    await page.context().close();
  }));
  // The browser itself says of every failed request that it failed.
  assert.deepEqual(said.filter((line) => !/Failed to load resource: (the server responded with a status of (403|503)|net::ERR_FAILED)/.test(line)), [], "the console says nothing else");
  console.log("slow, unwell, gone, forbidden: the pages say so, keep what they have, and recover");
}
