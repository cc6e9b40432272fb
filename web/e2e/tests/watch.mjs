// The watch page, with a publisher that is not our studio: any WHIP client will do.

import assert from "node:assert/strict";
import { clips } from "../lib/fixtures.mjs";
import { moves, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { publishRaw } from "../lib/raw.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { listen, sounds } from "../lib/sound.mjs";
import { connectionsMade, viewersAre, WORDS } from "../lib/watching.mjs";

for (const name of BOTH) {
  story(`${name}: a newcomer finds the demo from the home page, with picture and sound`, async (t) => {
    const server = await serve(t, "--demo");
    const page = await (await browser(name)).open(server.url, { label: "newcomer" });
    await page.click('a[href="/w/demo"]');
    await moves(page);
    await until("the demo is heard", async () => ((await listen(page))?.rms ?? 0) > 0.005);
  });
}

story("the watch page shows and counts, and a reload brings the picture back", async (t) => {
  const server = await serve(t);
  await publishRaw(await browser("chromium"), server, "raw", "webm");
  const [one, two] = await Promise.all(BOTH.map(async (name) => (await browser(name)).open(server.watch("raw"), { label: "viewer" })));
  for (const page of [one, two]) {
    await shows(page, clips.webm);
    await sounds(page, clips.webm);
    await viewersAre(page, 2);
  }
  for (const page of [one, two]) {
    await page.reload();
    await shows(page, clips.webm);
    await viewersAre(page, 2);
  }
  await two.close();
  await viewersAre(one, 1);
});

story("viewers keep their connection when the publisher is lost and another browser takes over", async (t) => {
  const server = await serve(t);
  const first = await publishRaw(await browser("chromium"), server, "raw", "webm");
  const viewers = await Promise.all(BOTH.map(async (name) => (await browser(name)).open(server.watch("raw"), { label: "viewer" })));
  for (const page of viewers) await shows(page, clips.webm);
  await first.close(); // without a word, as in a crash
  await publishRaw(await browser("firefox"), server, "raw", "tall");
  for (const page of viewers) {
    const reading = await shows(page, clips.tall);
    assert.ok(reading.height > reading.width, `${page.name} shows ${reading.width}x${reading.height}, the other file's size`);
    await sounds(page, clips.tall);
    assert.equal(await connectionsMade(page), 1, `${page.name} has made a new connection`);
  }
});

story("wrong links are answered in words", async (t) => {
  const server = await serve(t);
  for (const name of BOTH) {
    const page = await (await browser(name)).open(server.watch("nobody-made-this"), { label: "lost viewer" });
    await page.says(WORDS, /no stream here/);
    await page.goto(`${server.url}/no-such-page`);
    await page.says("h1", /./);
    assert.match((await page.text("main")) ?? "", /not|nothing/i);
  }
});
