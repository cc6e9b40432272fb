// Files from browser to browser, and to and from the command line: what arrives is what was shared,
// byte by byte, and whoever should not get it does not.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { COLOURS, judge } from "../lib/judge.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { Program, randomFile, scratch, Sender, sha256, sumOf, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";

const MB = 1024 * 1024;

story("files: Firefox gives a file to both browsers", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "holiday.bin", 12 * MB + 123);
  const sender = await Sender.open(await browser("firefox"), server);
  const link = await sender.share([film.file]);
  const takers = await Promise.all(BOTH.map(async (one) => Taker.open(await browser(one), link)));
  for (const taker of takers) await taker.accept();
  for (const taker of takers) assert.deepEqual(await taker.saved(), { [film.name]: film.sum });
  await sender.complete(2);
  await sender.page.see(id("safe"));
});

story("files: a folder arrives as a folder, and single files of it can be picked", async (t) => {
  const server = await serve(t);
  const folder = path.join(await scratch(t), "photos");
  await mkdir(path.join(folder, "märz"), { recursive: true });
  /** @type {Record<string, string>} */ const sums = {};
  for (const [name, size] of /** @type {const} */ ([["one.jpg", 3 * MB], ["märz/two.jpg", 70_000], ["märz/empty.txt", 0]])) {
    sums[`photos/${name}`] = (await randomFile(folder, name, size)).sum;
  }
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([folder], "folder-input");
  const all = await Taker.open(await browser("firefox"), link);
  await all.accept();
  assert.deepEqual(await all.saved(), sums);
  const some = await Taker.open(await browser("chromium"), link);
  await some.is("offered");
  await some.page.click('[data-path="photos/one.jpg"] [data-testid="pick"]');
  await some.accept();
  const { "photos/one.jpg": left, ...rest } = sums;
  assert.ok(left);
  await some.is("done");
  assert.deepEqual(await some.written(), rest, "what lies in the folder that was chosen");
  assert.deepEqual(await some.saved(), rest);
});

for (const name of BOTH) {
  story(`files: a reload of the receiver goes on in ${name}, and fetches nothing again`, async (t) => {
    const server = await serve(t);
    const film = await randomFile(await scratch(t), "holiday.bin", 12 * MB);
    const sender = await Sender.open(await browser("chromium"), server);
    const link = await sender.share([film.file]);
    await sender.limit(3);
    const taker = await Taker.open(await browser(name), link);
    await taker.accept();
    await taker.holds(2 * MB);
    const before = await taker.held();
    const began = Date.now();
    await taker.page.reload();
    await taker.holds(before);
    t.diagnostic(`figure: seconds from the reload of a receiver to its first new byte, ${name} = ${(Date.now() - began) / 1000}`);
    await sender.limit(0);
    assert.deepEqual(await taker.saved(), { [film.name]: film.sum });
    await taker.page.reload();
    assert.deepEqual(await taker.saved(), { [film.name]: film.sum }, "what is here is still here");
    await sender.page.says(id("receivers"), /1[0-4](\.\d)? MB have gone out/);
  });
}

story("files: fanfare get takes from a browser, by link and by code", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", 10 * MB + 1);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([film.file]);
  const code = await sender.code();
  for (const [folder, args] of /** @type {const} */ ([["by-link", [link]], ["by-code", [code, "--from", server.url]]])) {
    const out = path.join(home, folder);
    await mkdir(out);
    const program = await Program.start(t, ["get", ...args, "--out", out], path.join(home, `home-${folder}`));
    await program.ends();
    assert.equal(await sumOf(path.join(out, film.name)), film.sum);
    const [, words] = await program.writes(/Check words: ([a-z]+(?: [a-z]+){3})\./);
    assert.ok((await sender.page.text(id("receivers")))?.includes(words ?? "none"), `the page does not show ${words}`);
  }
});

story("files: a browser of each kind takes from fanfare send, by link and by code", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", 10 * MB + 1);
  const program = await Program.start(t, ["send", film.file, "--to", server.url, "--key", KEY], home);
  const [link] = await program.writes(/http:\S+#v1\.\S+/);
  const [, code] = await program.writes(/Code: (\S+)/);
  assert.ok(code);
  const byLink = await Taker.open(await browser("firefox"), link);
  await byLink.accept();
  assert.deepEqual(await byLink.saved(), { [film.name]: film.sum });
  const byCode = new Taker(await (await browser("chromium")).open(`${server.url}/f`, { label: "receiver" }));
  await byCode.page.fill(id("code-input"), code.replaceAll("-", " ").toUpperCase());
  await byCode.page.click(id("code-open"));
  await byCode.accept();
  assert.deepEqual(await byCode.saved(), { [film.name]: film.sum });
});

story("files: a link with one character changed says so in words, and shows nothing", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "secret-name.bin", 100_000);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([film.file]);
  const hash = link.indexOf("#");
  const places = { room: hash - 3, "the version": hash + 2, "the secret": hash + 8, "the key": link.length - 8 };
  for (const [what, at] of Object.entries(places)) {
    const other = what === "the version" ? "2" : link[at] === "x" ? "y" : "x";
    const taker = await Taker.open(await browser("chromium"), link.slice(0, at) + other + link.slice(at + 1));
    await taker.page.says(id("words"), /link|nothing/i);
    assert.ok(!(await taker.page.text("body"))?.includes(film.name), what);
  }
  const cut = await Taker.open(await browser("firefox"), link.slice(0, -1));
  await cut.page.says(id("words"), /not whole/i);
});

story("files: where WebRTC is switched off both pages say so, and wait for nothing", async (t) => {
  const server = await serve(t);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([(await randomFile(await scratch(t), "a.bin", 1000)).file]);
  for (const url of [link, `${server.url}/f`]) {
    const page = await (await browser("chromium")).open(url, { label: "without WebRTC", prepare: () => {
      Reflect.deleteProperty(globalThis, "RTCPeerConnection");
    } });
    await page.says("main", /needs WebRTC[\s\S]*fanfare get/);
    assert.deepEqual(page.log, [], "the page complains");
  }
});

story("files: a text, a password, and the sender's word on each receiver", async (t) => {
  const server = await serve(t);
  const sender = await Sender.open(await browser("firefox"), server);
  await sender.page.fill(id("text"), "see you at eight\nby the <gate>");
  await sender.page.click(id("share-text"));
  await sender.is("open");
  await sender.rules();
  await sender.page.fill(id("password"), "open sesame");
  await sender.page.click(id("password-save"));
  await sender.page.click(id("approve"));
  const link = await sender.link();
  const taker = await Taker.open(await browser("chromium"), link);
  await taker.is("password");
  await taker.page.fill(id("password"), "wrong");
  await taker.page.click(id("password-send"));
  await taker.page.says("main", /not the right one/i);
  await taker.page.fill(id("password"), "open sesame");
  await taker.page.click(id("password-send"));
  await taker.is("waits");
  const [words, theirs] = [await sender.words(), await taker.words()];
  assert.match(words, /^[a-z]+( [a-z]+){3}$/);
  assert.equal(theirs, words, "the check words");
  await sender.page.click(id("let-in"));
  await taker.accept();
  await taker.is("done");
  await sender.complete(1);
  await sender.page.see(id("safe"));
  assert.equal(await taker.page.evaluate((s) => /** @type {HTMLTextAreaElement} */ (document.querySelector(s)).value, id("text")), "see you at eight\nby the <gate>");
  const other = await Taker.open(await browser("firefox"), link);
  await other.is("password");
  await other.page.fill(id("password"), "open sesame");
  await other.page.click(id("password-send"));
  await sender.page.click(id("let-in"));
  await other.is("offered");
  await sender.page.click(`${id("receiver")}[data-phase="here"] ${id("receiver-remove")}`);
  await sender.page.click(id("receiver-remove-confirm"));
  await other.page.says(id("words"), /removed/i);
});

story("files: a server without its key asks for it, and what was chosen stays chosen", async (t) => {
  const server = await serve(t);
  const folder = await scratch(t);
  const film = await randomFile(folder, "holiday.bin", 200_000);
  const sender = new Sender(await (await browser("chromium")).open(`${server.url}/f`, { label: "sender" }));
  await sender.page.setFiles(id("file-input"), film.file);
  await sender.page.see(id("key-form"));
  await sender.page.fill(id("key-input"), KEY);
  await sender.page.click(id("key-open"));
  await sender.is("open");
  await sender.atMost(1);
  const preview = await Taker.open(await browser("chromium"), await sender.link());
  await preview.is("offered");
  const taker = await Taker.open(await browser("firefox"), await sender.link());
  await taker.accept();
  assert.deepEqual(await taker.saved(), { [film.name]: film.sum }, "who only looks takes no place");
  await preview.page.says(id("words"), /as many as/i);
});

story("files: the last of many files can be picked and saved alone, by the keyboard", async (t) => {
  const server = await serve(t);
  const folder = path.join(await scratch(t), "many");
  await mkdir(folder);
  const files = await Promise.all(Array.from({ length: 305 }, (_, i) => randomFile(folder, `${1_000 + i}.txt`, 10)));
  const last = files.at(-1);
  assert.ok(last);
  const sender = await Sender.open(await browser("chromium"), server);
  const taker = await Taker.open(await browser("firefox"), await sender.share([folder], "folder-input"));
  await taker.is("offered");
  await taker.page.click(id("choose-all"));
  await taker.page.says("main", /300 of 305 are shown/);
  await taker.page.click(id("more"));
  await taker.page.waitFor("the focus is on the first that is new", () => document.activeElement?.getAttribute("data-path") === "many/1300.txt");
  await taker.page.click(`[data-path="many/${last.name}"] ${id("pick")}`);
  await taker.accept();
  assert.deepEqual(await taker.saved(), { [`many/${last.name}`]: last.sum });
});

story("files: a file that changes while it is being shared ends in words, with nothing wrong kept", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "holiday.bin", 2 * MB);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([film.file]);
  const taker = await Taker.open(await browser("chromium"), link);
  await taker.is("offered");
  await writeFile(film.file, Buffer.alloc(2 * MB, 7));
  assert.notEqual(sha256(Buffer.alloc(2 * MB, 7)), film.sum);
  await taker.accept();
  await taker.page.says(id("words"), /changed/i);
  await sender.page.says("h1", /changed/i);
});

story("files: what comes and what has come is accessible to everyone, in all its colours", async (t) => {
  const server = await serve(t);
  const folder = await scratch(t);
  const files = await Promise.all(["a long name that has to go over more than one line on a phone, since it does not end.txt", "b.bin"].map((name) => randomFile(folder, name, 300_000)));
  const context = await (await browser("chromium")).context();
  const sender = new Sender(await context.open(`${server.url}/f#key=${KEY}`));
  const taker = new Taker(await context.open(await sender.share(files.map((one) => one.file))));
  await taker.is("offered");
  await judge(taker.page, "what is offered", COLOURS.chromium);
  await taker.page.click(id("get"));
  await taker.is("done");
  await judge(taker.page, "what has come", COLOURS.chromium);
  await sender.complete(1);
  await sender.page.front();
  await sender.rules();
  await judge(sender.page, "who has it", COLOURS.chromium);
  await sender.page.reload();
  await sender.page.see(id("earlier"));
  await judge(sender.page, "what was shared before", COLOURS.chromium);
});
