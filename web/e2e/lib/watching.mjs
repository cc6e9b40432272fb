// The watch page, as its viewers see it.

/** @typedef {import("./browsers.mjs").Page} Page */

/** What the page says when words are needed instead of a picture. */
export const WORDS = ".cover-card h2";

/** @param {Page} page @param {number} n waits until the page tells that many viewers */
export const viewersAre = (page, n) =>
  page.waitFor(`${n} viewers are counted`, (count) => document.querySelector("[data-viewers]")?.getAttribute("data-viewers") === String(count), n);

/** How many media connections the page has made since it was loaded. @param {Page} page */
export const connectionsMade = (page) => page.evaluate(() => /** @type {any} */ (globalThis).connectionsMade.length);

/** In the page: what its newest connection is doing. */
async function legInPage() {
  const pc = /** @type {RTCPeerConnection | undefined} */ (/** @type {any} */ (globalThis).connectionsMade.at(-1));
  if (!pc) return null;
  /** @type {any[]} */ const all = [...(await pc.getStats()).values()];
  const sum = (/** @type {string} */ field) => all.filter((s) => s.type === "inbound-rtp").reduce((n, s) => n + (s[field] ?? 0), 0);
  return {
    state: pc.connectionState,
    ciphers: /** @type {string[]} */ (all.filter((s) => s.type === "transport" && s.srtpCipher).map((s) => s.srtpCipher)),
    frames: sum("framesDecoded"),
    height: /** @type {number | undefined} */ (all.find((s) => s.type === "inbound-rtp" && s.kind === "video")?.frameHeight),
    energy: sum("totalAudioEnergy"),
  };
}

/** @param {Page} page */
export const leg = (page) => page.evaluate(legInPage);
