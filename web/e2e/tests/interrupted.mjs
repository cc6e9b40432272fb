// What comes in the way of a transfer between browsers: a tab that nobody looks at, a server that is
// killed, a network that is another one. It goes on, and nothing is lost.

import assert from "node:assert/strict";
import { detour } from "../lib/detour.mjs";
import { meddler } from "../lib/meddler.mjs";
import { network } from "../lib/network.mjs";
import { until } from "../lib/poll.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { randomFile, scratch, Sender, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";

const MB = 1024 * 1024;

/** In the page: from a word on, no timer of its own thread fires. Browsers hold those of hidden pages back for up to a minute. */
function holdTimersInPage() {
  const page = /** @type {any} */ (globalThis);
  for (const name of ["setTimeout", "setInterval"]) {
    const native = page[name];
    page[name] = (/** @type {any} */ call, /** @type {any[]} */ ...rest) => native(() => { if (!page.held) call(); }, ...rest);
  }
}

/** In the page: it neither tells an address of its own nor hears of others'. */
function withoutPath() {
  RTCPeerConnection.prototype.addIceCandidate = async () => undefined;
  const listen = RTCPeerConnection.prototype.addEventListener;
  RTCPeerConnection.prototype.addEventListener = /** @this {RTCPeerConnection} */ function (/** @type {string} */ type, /** @type {any} */ heard) {
    if (type !== "icecandidate") listen.call(this, type, heard);
  };
}

for (const name of BOTH) {
  story(`files: no piece waits for the timers of a hidden page, from ${name}`, async (t) => {
    const server = await serve(t);
    const film = await randomFile(await scratch(t), "holiday.bin", 12 * MB);
    const sender = await Sender.open(await browser(name), server, { prepare: holdTimersInPage });
    const link = await sender.share([film.file]);
    await sender.limit(0.5);
    const other = name === "chromium" ? "firefox" : "chromium";
    const direct = await Taker.open(await browser(other), link, { prepare: holdTimersInPage });
    const relayed = await Taker.open(await browser(name), link, { prepare: [withoutPath, holdTimersInPage] });
    const all = [sender.page, direct.page, relayed.page];
    for (const taker of [direct, relayed]) {
      await taker.accept();
      await taker.holds(0);
    }
    for (const page of all) await page.hide();
    for (const page of all) await page.evaluate(() => { /** @type {any} */ (globalThis).held = true; });
    await sender.limit(8);
    const began = Date.now();
    for (const taker of [direct, relayed]) await taker.is("done");
    t.diagnostic(`figure: seconds for 12 MiB between hidden pages, at most 8 MiB a second, from ${name} = ${(Date.now() - began) / 1000}`);
    for (const page of all) assert.equal(await page.evaluate(() => document.visibilityState), "hidden", page.name);
    for (const taker of [direct, relayed]) assert.deepEqual(await taker.saved(), { [film.name]: film.sum });
  });
}

story("files: the server is killed and started again in the middle, and everybody gets everything", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "holiday.bin", 10 * MB);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([film.file]);
  await sender.limit(1);
  const direct = await Taker.open(await browser("firefox"), link);
  const relayed = await Taker.open(await browser("chromium"), link, { prepare: withoutPath });
  for (const taker of [direct, relayed]) await taker.accept();
  await relayed.holds(MB);
  await relayed.page.see(id("relayed"));

  await server.stop("SIGKILL");
  // The ways between peers need no server; where there is none, the page says what it waits for.
  await direct.holds((await direct.held()) + MB);
  await relayed.page.says(id("stall"), /the server does not answer/i);
  await server.start();

  const before = await relayed.held();
  await relayed.holds(before);
  const late = await Taker.open(await browser("firefox"), link);
  await late.accept();
  await sender.limit(0);
  for (const taker of [direct, relayed, late]) assert.deepEqual(await taker.saved(), { [film.name]: film.sum }, taker.page.name);
  await sender.complete(3);
});

story("files: a server that repeats, alters, swaps and drops what pages say to each other learns nothing, and changes nothing", async (t) => {
  const server = await serve(t);
  const evil = await meddler(t, server);
  const film = await randomFile(await scratch(t), "holiday.bin", 3 * MB);
  const sender = await Sender.open(await browser("chromium"), evil);
  const link = (await sender.share([film.file])).replace(server.url, evil.url);
  const taker = await Taker.open(await browser("firefox"), link);
  await taker.accept();
  assert.deepEqual(await taker.saved(), { [film.name]: film.sum });
  await sender.complete(1);
  assert.equal(await sender.page.evaluate((s) => document.querySelectorAll(s).length, id("receiver")), 1, "receivers");
  for (const way of ["dropped", "twice", "late", "altered"]) assert.ok((evil.done.get(way) ?? 0) > 0, `nothing was ${way}`);
  const secret = /#v1\.([\w-]{22})\./.exec(link)?.[1] ?? "";
  for (const what of [secret, Buffer.from(secret, "base64url"), film.name, "holiday"]) assert.ok(!evil.knows(what), `it knows ${what}`);
  assert.ok(evil.knows('"type":"send"') && evil.knows(new URL(link).pathname), "it has heard nothing");
});

story("files: the network of receivers changes in the middle, and they go on by the new one", async (t) => {
  // The ways to the server end, too, and no relay helps out.
  const server = await serve(t, "--file-relay", "0");
  const lines = await network(t, server);
  const film = await randomFile(await scratch(t), "holiday.bin", 8 * MB);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = (await sender.share([film.file])).replace(server.url, lines.url);
  await sender.limit(1.5);
  const takers = await Promise.all(BOTH.map(async (name) => {
    const way = detour(t);
    return { way, taker: await Taker.open(await browser(name), link, { detour: way }) };
  }));
  for (const { taker } of takers) await taker.accept();
  for (const { taker } of takers) await taker.holds(MB);

  lines.cut();
  for (const { way } of takers) way.change();
  lines.restore();
  const began = Date.now();
  for (const { way, taker } of takers) {
    await until(`${taker.page.name} gets something by the new network`, () => way.carried > MB / 4);
    t.diagnostic(`figure: seconds from a change of the network to the first quarter of a MiB by the new one, ${taker.page.name} = ${(Date.now() - began) / 1000}`);
  }
  await sender.limit(0);
  for (const { taker } of takers) assert.deepEqual(await taker.saved(), { [film.name]: film.sum }, taker.page.name);
});
