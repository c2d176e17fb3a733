// The deployed page, in a real browser: opened with the key in its address, it shows every stream HEALTHY. Its console
// stays empty, so its own content security policy lets through all that it needs.
//
//   node cloud.mjs CHROMIUM URL STREAM...    URL ends with #key=...

import assert from "node:assert/strict";
import { LOOKS, openTab, startBrowser, until } from "./stage.mjs";

const [browserPath, url, ...streams] = process.argv.slice(2);
const said = [];
const browser = await startBrowser(browserPath);
try {
  const page = await openTab(browser, LOOKS[0], said);
  await page.goto(url);
  await page.locator(".tile").first().waitFor();
  assert.equal(new URL(page.url()).hash, "", "the key is not left in the address");
  assert.equal(await page.locator(".tile").count(), streams.length);
  for (const name of streams) {
    const tile = page.locator(".tile", { has: page.locator("strong", { hasText: new RegExp(`^${name}$`) }) });
    const word = tile.locator(".top b");
    await until(() => `${name} is not HEALTHY`, async () => (await word.innerText()) === "HEALTHY");
  }
  assert.deepEqual(said, [], "the console is empty");
} finally {
  await browser.close();
}
