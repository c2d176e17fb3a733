// The first minutes of a newcomer, in a real browser and by keyboard where that is quicker: nine tiles in their states;
// have a receiver told; break a stream, watch it turn, open it, acknowledge, heal, see it resolved. The console stays
// empty and axe finds nothing, on every page, dark, light and 320 px wide.
//
//   node browser.mjs PROGRAM CHROMIUM FOLDER    FOLDER gets a picture of every page

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { LOOKS, inspect, openTab, startBrowser, startDemo, startReceiver, stop, until, verified } from "./stage.mjs";
import { unwell } from "./unwell.mjs";

const [program, browserPath, folder] = process.argv.slice(2);

// What the demo's streams come to; the flapping one goes up and down, and jumps add up.
const STATES = {
  "Steady": ["HEALTHY"],
  "One dead variant": ["DEGRADED"],
  "Missing segments": ["UNHEALTHY"],
  "Stalled playlist": ["UNHEALTHY"],
  "Playlists unavailable": ["UNHEALTHY"],
  "Slow segments": ["UNHEALTHY"],
  "Flapping": ["UNHEALTHY", "HEALTHY", "DEGRADED"],
  "Sequence jumps": ["DEGRADED", "UNHEALTHY"],
  "Ended": ["HEALTHY"],
};

const look = LOOKS[0];
const main = (page) => page.getByRole("navigation", { name: "Main" });
const tile = (page, name) => page.locator(".tile", { has: page.locator("strong", { hasText: new RegExp(`^${name}$`) }) });

/** Waits until a tile shows one of the states; answers how many seconds that took. */
async function waitForState(page, name, states) {
  const word = tile(page, name).locator(".top b");
  let now;
  const took = await until(() => `${name} is ${now}, not ${states.join(" or ")},`, async () => {
    now = (await word.count()) ? await word.innerText() : "no tile";
    return states.includes(now);
  });
  return (took / 1000).toFixed(1);
}

async function wall(page, url) {
  await page.goto(url.href);
  await page.locator(".tile").first().waitFor();
  assert.equal(new URL(page.url()).hash, "", "the key is not left in the address");
  assert.equal(await page.locator(".tile").count(), 9);
  for (const [name, states] of Object.entries(STATES)) await waitForState(page, name, states);
  console.log("nine tiles are in their states");
  await inspect(page, folder, look, "wall");
  await leaveAndReturn(page);
}

/** Adds a channel that posts to the receiver, and tries it; answers its page and its secret. */
async function channel(page, receiver, said) {
  await main(page).getByText("Channels").click();
  await page.getByText("Nobody is told yet").waitFor();
  await inspect(page, folder, look, "channels-empty");
  await page.getByRole("link", { name: "Add a channel" }).first().click();
  await page.getByRole("button", { name: "Add the channel" }).click();
  await page.locator("#name-wrong").waitFor();
  await page.locator("#url-wrong").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("On call");
  await page.getByLabel("URL", { exact: true }).fill("http://10.0.0.1/hook");
  await page.getByRole("button", { name: "Add the channel" }).click();
  await page.locator("#url-wrong").waitFor();
  // Who is refused is led to the field that is wrong.
  await page.locator("#url:focus").waitFor();
  await inspect(page, folder, look, "channel-refused");
  // The browser itself says of every refusal that there was one.
  assert.match(said.pop() ?? "", /status of 4\d\d/);
  await page.getByLabel("URL", { exact: true }).fill(`http://${receiver.host}/hook`);
  await page.getByRole("button", { name: "Add the channel" }).click();
  const secret = await page.locator(".secret input").inputValue();
  receiver.status = 500;
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.locator(".outcome", { hasText: "failed The test: the receiver answered 500" }).waitFor();
  receiver.status = 204;
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.locator(".outcome", { hasText: "delivered The test: answered 204" }).waitFor();
  await inspect(page, folder, look, "channel-added");
  assert.equal(verified(receiver.got.pop(), secret).type, "test");
  await page.getByRole("link", { name: "Done", exact: true }).click();
  await page.locator(".sent > li").nth(1).waitFor();
  console.log("a channel is added, and a test arrived with a good signature");
  return { path: new URL(page.url()).pathname, secret };
}

async function fault(page, button) {
  await main(page).getByText("Wall").click();
  await page.getByText("Break a stream").click();
  const [stream, what] = [page.locator(".sheet select").nth(0), page.locator(".sheet select").nth(1)];
  await stream.selectOption({ label: "Steady" });
  const unavailable = what.locator("option", { hasText: /503/ }).first();
  await what.selectOption(await unavailable.getAttribute("value"));
  await page.getByRole("button", { name: button }).click();
}

/** What the page of a stream says of itself. */
async function words(page) {
  assert.match(await page.locator(".strip figcaption").innerText(), /^\d\d:\d\d:\d\d, added/, "the band begins with the stream");
  const ratios = await page.locator("td[data-label='Download ratio']").allInnerTexts();
  assert.ok(ratios.length && ratios.every((ratio) => /^(over 100×|\d\d?\.\d×|–: .+)$/.test(ratio)), `${ratios}`);
  assert.match(await page.locator("td[data-label=Playlist]").first().innerText(), /since \d\d:\d\d:\d\d/);
}

/** Chooses a tile by typing its name; it has the focus then. */
async function choose(page, name) {
  await page.keyboard.press("/");
  await page.getByPlaceholder("Filter").fill(name.toLowerCase());
  await page.getByText("1 of 9 streams").waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".tile:focus", { hasText: name }).waitFor();
}

/** Escape empties the filter, then leaves it; who comes back from a stream finds its tile in focus. */
async function leaveAndReturn(page) {
  await page.keyboard.press("/");
  await page.keyboard.type("ended");
  await page.getByText("1 of 9 streams").waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("9 streams", { exact: true }).waitFor();
  assert.ok(await page.getByPlaceholder("Filter").evaluate((field) => field === document.activeElement));
  await page.keyboard.press("Escape");
  await page.locator(".tile:focus").waitFor();
  await choose(page, "Ended");
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "Ended" }).waitFor();
  await page.goBack();
  await page.locator(".tile:focus", { hasText: "Ended" }).waitFor();
  await page.getByPlaceholder("Filter").fill("");
  console.log("the filter is left by keys, and a stream for its tile");
}

/** Takes the incident of the broken stream by a key on its tile; of a tile without one, the key says so. */
async function takeOnWall(page) {
  await main(page).getByText("Wall").click();
  await choose(page, "Ended");
  await page.keyboard.press("a");
  await page.locator(".notice", { hasText: "Ended has no open incident" }).waitFor();
  await choose(page, "Steady");
  await page.keyboard.press("a");
  await page.locator(".tile:focus .chip", { hasText: "Ack by Maria" }).waitFor();
}

/** Breaks a stream, takes its incident and heals it; answers the path of the incident. */
async function breakAndHeal(page) {
  await fault(page, "Break it");
  console.log(`broken: the tile turned after ${await waitForState(page, "Steady", ["UNHEALTHY"])} s`);

  await choose(page, "Steady");
  assert.match(await page.locator(".tile:focus .of-time").textContent(), /^as of \d\d:\d\d:\d\d$/);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/streams\/str_/);
  await page.locator(".entries li").first().waitFor();
  await page.locator(".incident-line").waitFor();
  await page.getByText(/Complete up to \d\d:\d\d:\d\d UTC/).waitFor();
  await inspect(page, folder, look, "stream-broken");
  await words(page);
  await page.locator("h1").click();
  await page.keyboard.press("a");
  // The first time, the page asks for whom; then never again.
  await page.getByLabel("Your name").last().waitFor();
  await inspect(page, folder, look, "who");
  // Who cancels has not said a name.
  await page.keyboard.type("Mario");
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  // Who takes the time to type a name sees the button behind it drawn anew.
  await page.getByRole("button", { name: "Acknowledge" }).click();
  await page.locator("dialog[open]").waitFor();
  for (let drawn = 0; drawn < 2; drawn += 1) {
    await page.waitForResponse((answer) => /\/streams\/str_[^/]+$/.test(new URL(answer.url()).pathname));
  }
  await page.locator("dialog[open] input").focus();
  assert.equal(await page.getByLabel("Your name").last().inputValue(), "");
  await page.keyboard.type("Maria");
  await page.keyboard.press("Enter");
  await page.locator(".incident-line", { hasText: "ACKNOWLEDGED by Maria (key " }).waitFor();
  await page.getByRole("button", { name: "Give back" }).click();
  await page.locator(".incident-line", { hasText: "OPEN" }).waitFor();
  await takeOnWall(page);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/streams\/str_/);
  await page.locator(".incident-line", { hasText: "ACKNOWLEDGED" }).waitFor();
  console.log("acknowledged by button, and by key on the wall, by a name");
  await page.locator(".incident-line a").click();
  await page.waitForURL(/\/incidents\//);
  await page.locator(".entries li").first().waitFor();
  const incident = new URL(page.url()).pathname;
  await fault(page, "Heal it");
  return incident;
}

/** A stream that is down is added all the same. The form polls nothing, so it says nothing of ages. */
async function addDown(page, said) {
  const url = (await streamUrl(page)).replace("steady", "nosuch");
  await main(page).getByText("Wall").click();
  await page.getByRole("link", { name: "Add a stream" }).click();
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByText("Give the URL of the stream's playlist").waitFor();
  await page.locator("#manifest_url").fill(url);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "It does not play now" }).waitFor();
  assert.match(said.pop() ?? "", /status of 4\d\d/);
  assert.equal(await page.locator("[role=status]", { hasText: "does not play" }).textContent(), "It does not play now");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "127.0.0.1 nosuch");
  assert.equal(await page.locator(".ages", { hasText: "Data" }).count(), 0);
  await inspect(page, folder, look, "add-down");
  await page.getByRole("button", { name: "Add it all the same" }).click();
  await page.waitForURL(/\/streams\/str_/);
  await page.locator("h1", { hasText: "127.0.0.1 nosuch" }).waitFor();
  console.log("a stream that is down is added all the same");
}

/** What was healed gets well once its window has nothing bad in it any more. */
async function resolved(page, incident) {
  await waitForState(page, "Steady", ["HEALTHY"]);
  await page.goto(new URL(incident, page.url()).href);
  await page.locator(".head .chip", { hasText: "RESOLVED" }).waitFor();
  await inspect(page, folder, look, "incident-resolved");
  console.log("healed and resolved");
}

/** An incident outlives its stream: the pages keep its name, and neither lead to it nor ask for it. */
async function streamRemoved(page, incident) {
  const gone = (of) => ({ ...of, stream_removed: true });
  await page.route(/\/api\/v1\/incidents/, async (route) => {
    const response = await route.fetch({ headers: { ...route.request().headers(), "if-none-match": "" } });
    const json = await response.json();
    await route.fulfill({ response, json: json.items ? { ...json, items: json.items.map(gone) } : gone(json) });
  });
  const asked = [];
  const listen = (request) => asked.push(new URL(request.url()).pathname);
  page.on("request", listen);
  for (const [name, path, place] of [["incidents", "/incidents", ".listing th"], ["incident", incident, ".head"]]) {
    await page.goto(new URL(path, page.url()).href);
    await page.locator(place, { hasText: "Steady (removed)" }).first().waitFor();
    assert.equal(await page.locator("main a[href^='/streams/']").count(), 0, `${name} leads to no stream that is gone`);
    await inspect(page, folder, look, `${name}-stream-removed`);
  }
  await page.locator(".head .chip", { hasText: "stream removed" }).waitFor();
  assert.equal(await page.locator(".head .badge").count(), 0);
  assert.deepEqual(asked.filter((path) => path.startsWith("/api/v1/streams")), []);
  page.off("request", listen);
  await page.unrouteAll({ behavior: "wait" });
  console.log("an incident of a stream that is gone is told without it");
}

/** All messages of the incident arrived, in order, and are in the inbox with a way to it. */
async function told(page, receiver, secret, incident) {
  const id = decodeURIComponent(incident.split("/").pop());
  const types = () => receiver.got.map((got) => verified(got, secret)).filter((event) => event.data.incident_id === id);
  // It was taken, given back, which nobody is told of, and taken again.
  const wanted = ["incident.opened", "incident.acknowledged", "incident.acknowledged", "incident.resolved"];
  await until(() => `the receiver got ${types().map((event) => event.type)}`, () => types().length === wanted.length);
  assert.deepEqual(types().map((event) => event.type), wanted);
  await main(page).getByText("Inbox").click();
  const messages = page.locator(".inbox > li", { hasText: "Steady" });
  await messages.filter({ hasText: "RESOLVED" }).waitFor();
  assert.equal(await messages.count(), wanted.length);
  await messages.last().locator(".what a").last().click();
  await page.waitForURL((url) => url.pathname === incident);
  console.log("its messages arrived, and are in the inbox");
}

/** Every page, as people with other screens see it. `ready` is there when the page has what it shows. */
async function everyPage(browser, url, incident, channel, said) {
  for (const look of LOOKS) {
    const page = await openTab(browser, look, said);
    await page.goto(url.href);
    const stream = await tile(page, "Missing segments").getAttribute("href");
    const pages = [
      ["wall", "/", ".tile"],
      ["nothing-matches", "/?q=nothing+of+this+name", ".empty"],
      ["stream", stream, ".entries li"],
      ["settings", `${stream}/settings`, "form"],
      ["incidents", "/incidents", ".listing tbody tr"],
      ["incident", incident, ".entries li"],
      ["inbox", "/inbox", ".inbox li"],
      ["channels", "/channels", ".sent li"],
      ["channel", channel, ".sent li"],
      ["channel-settings", `${channel}/settings`, "form"],
      ["channel-new", "/channels/new", "form"],
      ["add", "/streams/new", "form"],
    ];
    for (const [name, path, ready] of pages) {
      await page.goto(new URL(path, url).href);
      await page.locator(ready).first().waitFor();
      await inspect(page, folder, look, name);
    }
    await page.locator("form input").first().fill(await streamUrl(page));
    await page.getByRole("button", { name: "Look" }).click();
    await page.locator(".found").waitFor();
    await inspect(page, folder, look, "found");
    await page.goto(new URL("/streams/str_none", url).href);
    await page.locator(".trouble").getByRole("link", { name: "To the wall" }).waitFor();
    await inspect(page, folder, look, "stream-unknown");
    // Reached inside the page; typed, the server says so itself.
    await page.evaluate(() => {
      const link = Object.assign(document.createElement("a"), { href: "/nowhere/at/all" });
      document.querySelector("main").append(link);
      link.click();
      link.remove();
    });
    await page.getByText("There is no such page").waitFor();
    await inspect(page, folder, look, "not-found");
    assert.equal((await page.goto(new URL("/nowhere/at/all", url).href)).status(), 404);
    await page.getByRole("link", { name: "To the wall" }).waitFor();
    await inspect(page, folder, look, "no-page");
    await docs(page, url, look);
    await page.goto(url.href);
    await page.locator(".tile").first().waitFor();
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
    await inspect(page, folder, look, "keyboard");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    await inspect(page, folder, look, "sign-in");
    await page.context().close();
    unfound(said);
  }
  console.log("every page: axe finds nothing, no sideways scrolling");
}

/** Takes away the two addresses that are meant to be missing, and what the browser itself says, some time, of any. */
function unfound(said) {
  const meant = /status of 404|: 404: http:..[^/]+(\/api\/v1\/streams\/str_none\b|\/nowhere\/at\/all$)/;
  said.splice(0, said.length, ...said.filter((line) => !meant.test(line)));
}

/** The API's own page knows the key of the session, and shows names as code. */
async function docs(page, url, look) {
  const key = await page.evaluate(() => sessionStorage.getItem("hlsops.key"));
  await page.goto(new URL("/docs", url).href);
  await page.locator("#paths details").first().waitFor();
  assert.equal(await page.getByLabel("Key", { exact: true }).inputValue(), key);
  assert.doesNotMatch(await page.locator("body").innerText(), /`/);
  const adding = page.locator("#paths > details", { hasText: "Add a stream" });
  await adding.locator("summary").first().click();
  await adding.getByText("Example", { exact: true }).click();
  await inspect(page, folder, look, "docs");
  await adding.getByRole("button", { name: "Use the example" }).click();
  assert.equal(JSON.parse(await adding.getByLabel("body").inputValue()).link_id, "sports-1");
}

/** The pages that follow something, as they are while the server does not answer as it should. */
async function inBadTimes(browser, page, url, incident, channel) {
  await main(page).getByText("Wall").click();
  const stream = await tile(page, "Missing segments").getAttribute("href");
  await unwell(browser, url, folder, [
    ["wall", "/", ".tile"],
    ["stream", stream, ".entries li"],
    ["settings", `${stream}/settings`, "form"],
    ["incidents", "/incidents", ".listing tbody tr"],
    ["incident", incident, ".entries li"],
    ["inbox", "/inbox", ".inbox li"],
    ["channels", "/channels", ".sent li"],
    ["channel", channel, ".sent li"],
  ]);
}

/** The URL of a stream that plays, as the API says it. */
const streamUrl = (page) => page.evaluate(async () => {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem("hlsops.key")}` };
  const { items } = await (await fetch("/api/v1/streams", { headers })).json();
  return items.find((stream) => stream.name === "Steady").manifest_url;
});

await mkdir(folder, { recursive: true });
const receiver = await startReceiver();
let demo;
let browser;
try {
  demo = await startDemo(program, receiver.host);
  browser = await startBrowser(browserPath);
  const said = [];
  const page = await openTab(browser, look, said);
  await wall(page, demo.url);
  const { path, secret } = await channel(page, receiver, said);
  const incident = await breakAndHeal(page);
  await addDown(page, said);
  // Two minutes of it are long enough to look at everything.
  await everyPage(browser, demo.url, incident, path, said);
  await inBadTimes(browser, page, demo.url, incident, path);
  await resolved(page, incident);
  await streamRemoved(page, incident);
  await told(page, receiver, secret, incident);
  assert.deepEqual(said, [], "the console stays empty");
} finally {
  await browser?.close();
  receiver.close();
  if (demo) await stop(demo.child);
}
