// The viewer's connection itself, by WHEP without our pages: encryption, staying alive, a new port.

import assert from "node:assert/strict";
import { clips } from "../lib/fixtures.mjs";
import { shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { figures, publishRaw, watchRaw } from "../lib/raw.mjs";
import { network } from "../lib/network.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { sounds } from "../lib/sound.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

const GCM = /^(SRTP_)?AEAD_AES_(128|256)_GCM$/;

for (const name of BOTH) {
  story(`${name} publishes by WHIP, both browsers watch by WHEP, encrypted with AES-GCM`, async (t) => {
    const server = await serve(t);
    const clip = name === "chromium" ? "mp4" : "webm";
    const publisher = await publishRaw(await browser(name), server, "raw", clip);
    await until("the publisher is connected", async () => (await figures(publisher)).state === "connected");
    // The statistics may be those of a moment before.
    await until("the publisher's cipher is known", async () => GCM.test((await figures(publisher)).ciphers.join()));
    for (const viewer of BOTH) {
      const page = await watchRaw(await browser(viewer), server, "raw");
      await shows(page, clips[clip]);
      await sounds(page, clips[clip]);
      assert.match((await figures(page)).ciphers.join(), GCM, viewer);
    }
  });
}

story("a viewer who asks before the stream is live gets the picture when it comes", async (t) => {
  const server = await serve(t);
  // The stream must be known: a name that nobody made is a wrong link.
  await (await publishRaw(await browser("chromium"), server, "raw", "webm")).close();
  const early = await Promise.all(BOTH.map(async (name) => watchRaw(await browser(name), server, "raw")));
  for (const page of early) await until(`${page.name} is connected`, async () => (await figures(page)).state === "connected");
  await publishRaw(await browser("chromium"), server, "raw", "webm");
  for (const page of early) await shows(page, clips.webm);
});

story("both browsers stay connected for 90 seconds and decode all the while", async (t) => {
  const server = await serve(t);
  await publishRaw(await browser("chromium"), server, "raw", "webm");
  const viewers = await Promise.all(BOTH.map(async (name) => watchRaw(await browser(name), server, "raw")));
  for (const page of viewers) await shows(page, clips.webm);
  const start = performance.now();
  let before = await Promise.all(viewers.map(figures));
  // Nine looks: in each of them every viewer must have decoded more than at the last.
  for (let look = 1; look <= 9; look++) {
    await until(`${look * 10} seconds have gone by`, () => performance.now() - start > look * 10_000, { every: 500 });
    const now = await Promise.all(viewers.map(figures));
    now.forEach((figure, i) => assert.ok(figure.frames > before[i].frames, `${viewers[i].name} decoded nothing up to second ${look * 10}`));
    before = now;
  }
  for (const figure of before) assert.deepEqual(figure.states.filter((s) => s !== "connecting"), ["connected"]);
});

for (const name of BOTH) {
  story(`${name} has the media back within 5 seconds when its router gives it a new port`, async (t) => {
    const server = await serve(t);
    const home = await network(t, server);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const page = await watchRaw(await browser(name), server, "raw", { via: home });
    await shows(page, clips.webm);
    assert.ok(home.delivered > 0, "media do not come through the router");
    // The server finds a viewer behind a new port by its reports, once it has had some.
    await until("the viewer has reported", () => home.reports >= 5);

    home.newPorts();
    const start = performance.now();
    const { frames } = await figures(page);
    await until("packets reach the new port", () => home.delivered > 20, { every: 20 });
    const back = performance.now() - start;
    t.diagnostic(`${name}: media reach the new port after ${(back / 1000).toFixed(1)} s`);
    assert.ok(back <= 5000, `media came back after ${(back / 1000).toFixed(1)} s`);
    await until("decoding goes on", async () => (await figures(page)).frames > frames + 5);
    await shows(page, clips.webm);
    assert.deepEqual((await figures(page)).states.filter((s) => s !== "connecting"), ["connected"]);
  });
}

for (const name of BOTH) {
  story(`${name} plays when the server's last DTLS flight is lost on the way`, async (t) => {
    const server = await serve(t);
    const home = await network(t, server);
    home.loseLastFlights();
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const page = await watchRaw(await browser(name), server, "raw", { via: home });
    await until("the browser is connected", async () => (await figures(page)).state === "connected");
    await shows(page, clips.webm);
    await sounds(page, clips.webm);

    const lost = home.lostFlights;
    assert.equal(lost.length, 1, `${lost.length} flights were lost: this story needs one`);
    // The browser has no keys before it has this flight, so it plays by a repeat only.
    const [first] = lost[0].repeats;
    assert.ok(first, "the browser is connected and no repeat went through the router");
    t.diagnostic(`${name}: repeated ${(first.at - lost[0].at).toFixed(0)} ms after the loss, ${first.same ? "the same bytes" : "a newer flight"}, ${lost[0].repeats.length} in all`);
    assert.deepEqual((await figures(page)).states.filter((s) => s !== "connecting"), ["connected"]);
  });
}
