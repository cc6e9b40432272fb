// What a comparison says, in figures and in words, computed from what was gathered and from nothing else;
// and the same as files to take away. Pure.

import { TOO_LATE } from '../stats/lateness-limit';
import { perSecond, series } from '../stats/log';
import { capital } from '../ui/capital';
import { bitrate } from '../ui/format';
import { leftOutWords } from './course';
import { type DeviceFigures, devicesOf } from './devices';
import type { Gathered } from './experiment';
import { CONFIDENCE, type Difference, figuresOf, hopOf, type Paired, pairedOf, type WayFigures } from './figures';
import { workOf } from './hop';
import { type Way, WORDS } from './plan';
import { type Received, receivedOf } from './received';
import { stillOf } from './still';

export interface Upload {
  way: Way;
  /** bit/s that left this page for this way while it was measured. */
  bitrate: number;
  /** Pictures encoded by the uploader's end: one for each connection. */
  encodes: number;
}

export interface Result {
  /** Of the ways that went on all the time; of others `invalid` has the reason. */
  ways: WayFigures[];
  paired: Paired[];
  uploads: Upload[];
  /** By way; those without viewers are not there. */
  received: Partial<Record<Way, Received>>;
  /** What a viewer who passes the picture on adds. */
  hop: Difference | undefined;
  /** What that takes, percent of one processor; undefined: no browser told it. */
  work: number | undefined;
  devices: DeviceFigures[];
  lateness: number | undefined;
  /** Why the figures are not to be believed; empty: they are. */
  invalid: string[];
}

export function resultOf(g: Gathered): Result {
  const still = stillOf(g);
  const ways = g.ways.filter((way) => !still.has(way));
  const [base] = g.ways;
  const others = ways.filter((way) => way !== base);
  return {
    ways: figuresOf(ways, g.samples, g.joins),
    paired: others.flatMap((other) => (base && !still.has(base) ? (pairedOf(g.samples, base, other) ?? []) : [])),
    uploads: g.ways.map((way) => uploadOf(way, g)),
    received: Object.fromEntries(g.ways.map((way) => [way, receivedOf(way, g.snapshots)])),
    hop: still.has('tree') ? undefined : hopOf(g.samples),
    work: workOf(g.snapshots),
    devices: devicesOf(g.devices),
    lateness: g.lateness,
    invalid: [...invalidityOf(g), ...[...still.values()].flat()],
  };
}

function invalidityOf(g: Gathered): string[] {
  const out = [...g.troubles];
  if (!g.measured) return out;
  if (g.lateness === undefined) out.push('The machine’s timers were not measured.');
  else if (g.lateness > TOO_LATE) {
    out.push(
      `This machine’s timers were ${g.lateness.toFixed(1)} ms late in the 99th percentile; ${TOO_LATE} ms are allowed.`,
    );
  }
  return out;
}

function uploadOf(way: Way, g: Gathered): Upload {
  const ends = series(g.snapshots.filter(({ what }) => what.startsWith(`${way} uploader`)));
  const bitrate = ends.reduce((n, list) => n + (perSecond(list, (s) => 8 * s.transport.bytesOut) ?? 0), 0);
  return { way, bitrate, encodes: ends.length };
}

/** "star against sfu, by 290 pictures that both showed: 14.2 ms sooner (from 15.0 to 13.1)". */
export function pairedWords({ base, other, ...difference }: Paired): string {
  const way = (w: Way): string => WORDS[w].title.toLowerCase();
  const amount = (d: number): string => `${ms(Math.abs(d))} ${d < 0 && ms(d) !== ms(0) ? 'sooner' : 'later'}`;
  return `${WORDS[other].title}, against ${way(base)}, by ${difference.pairs} pictures that both showed: ${amount(difference.median)} (${intervalWords(difference, amount)}), on average ${amount(difference.mean)}.`;
}

/** What stands behind a median: an interval with its confidence, or how little there is for one. */
function intervalWords({ low, high, blocks, confidence }: Difference, amount: (d: number) => string): string {
  const between = `between ${amount(low)} and ${amount(high)}`;
  if (confidence >= CONFIDENCE) return `with at least 95 % of confidence ${between}`;
  if (blocks < 2) return 'by one second alone, too little for an interval';
  return `by ${blocks} seconds alone, whose medians lie ${between}, which is worth ${Math.floor(100 * confidence)} % of confidence`;
}

/** Of a viewer who passes on, with what `fanfare compare` wants to know of it. work: percent of one processor. */
export function hopWords(hop: Difference, work: number | undefined): string {
  const words = `A viewer who passes the picture on adds ${ms(hop.mean)} on average and ${ms(hop.median)} in the median (${intervalWords(hop, ms)}), by ${hop.pairs} pictures: it decodes and encodes again.`;
  const busy =
    work === undefined
      ? ''
      : ` Its decoder and encoders were busy for ${work.toFixed(0)} % of the time of one processor.`;
  const flag = work === undefined ? '' : ` --hop-cpu ${Math.round(work)}`;
  return `${words}${busy} fanfare compare reckons with it by --hop-ms ${Math.max(0, Math.round(hop.mean))}${flag}.`;
}

/** The cells of a way, by HEADS without the first. */
export function wayCells({ way, ...f }: WayFigures, r: Result): string[] {
  const up = r.uploads.find((u) => u.way === way);
  const came = r.received[way];
  return [
    ms(f.median),
    ms(f.p95),
    ms(f.p99),
    f.join === undefined ? '–' : ms(f.join),
    f.stalls === 0 ? 'none' : `${f.stalls} (${ms(f.stalled)})`,
    came?.width ? `${came.width} × ${came.height}` : '–',
    came ? bitrate(came.bitrate) : '–',
    up ? bitrate(up.bitrate) : '–',
    up ? String(up.encodes) : '–',
    String(f.pictures),
  ];
}

/** "120 ms", "-3.2 ms"; what rounds to nothing has no sign. */
export function ms(value: number): string {
  const text = value.toFixed(Math.abs(value) < 10 ? 1 : 0);
  return `${Number(text) === 0 ? 0 : text} ms`;
}

/** Who measured, with what: for the files. */
export interface About {
  browser: string;
  cores: number;
  page: string;
}

export function jsonOf(g: Gathered, about: About): string {
  return JSON.stringify({ ...about, command: 'the page /compare', result: resultOf(g), ...g }, undefined, 1);
}

export function deviceName({ number }: { number: number }): string {
  return `device ${number + 1}`;
}

/** The cells of a further device, by DEVICE_HEADS. */
export function deviceCells(d: DeviceFigures): string[] {
  return [
    `${capital(deviceName(d))}${d.kind === 'device' ? '' : `, ${d.kind}`}`,
    WORDS[d.route].title,
    ...[d.delay?.median, d.delay?.p95, d.delay?.p99, d.error, d.join].map((v) => (v === undefined ? '–' : ms(v))),
    d.stalls === 0 ? 'none' : `${d.stalls} (${ms(d.stalled)})`,
    d.rate.toFixed(1),
    String(d.dropped),
    String(d.pictures),
  ];
}

/** The pictures, a line each. */
export function csvOf(g: Gathered): string {
  const number = (n: number): string => String(Math.round(n * 1000) / 1000);
  const lines = g.samples.map((s) =>
    [s.way, s.viewer + 1, number(s.code), number(s.at), number(s.at - s.code)].join(','),
  );
  // A further device tells delays once a second, without the moments.
  const told = g.devices.flatMap((t) =>
    t.delays.map((delay) => [t.route, deviceName(t), '', number(t.at), delay].join(',')),
  );
  return ['way,viewer,made_at_ms,shown_at_ms,delay_ms', ...lines, ...told, ''].join('\n');
}

/** One page that needs nothing else. */
export function htmlOf(g: Gathered, about: About): string {
  const r = resultOf(g);
  const rows = r.ways.map((f) => rowHtml([WORDS[f.way].title, ...wayCells(f, r)]));
  const validity =
    r.invalid.length > 0
      ? `<p class="bad"><strong>Invalid.</strong> ${safe(r.invalid.join(' '))}</p>`
      : '<p>Valid.</p>';
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Ways compared – Fanfare</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}.scroll{overflow-x:auto}table{border-collapse:collapse}th,td{padding:.4rem .7rem;border-bottom:1px solid light-dark(#ccc,#555);text-align:right;white-space:nowrap}th:first-child{text-align:left}.bad{color:light-dark(#b3261e,#ff8f85)}</style>
<main>
<h1>Ways compared</h1>
<p>${safe(g.source)}, ${g.viewers} ${g.viewers === 1 ? 'viewer' : 'viewers'} on each way, ${g.seconds} seconds, ${safe(g.began)}. Everything ran in one browser: ${safe(about.browser)}, ${about.cores} cores.</p>
${validity}
${g.leftOut.map((l) => `<p>${safe(leftOutWords(l))}</p>\n`).join('')}${tableHtml('Figures of each way', HEADS, rows)}
<h2>The same pictures on two ways</h2>
${r.paired.map((p) => `<p>${safe(pairedWords(p))}</p>`).join('') || '<p>No pair of ways.</p>'}
${r.hop ? `<p>${safe(hopWords(r.hop, r.work))}</p>` : ''}
${devicesHtml(r.devices)}<h2>How it was measured</h2>
${METHOD.map((line) => `<p>${line}</p>`).join('\n')}
<p>Timers of this machine were ${r.lateness === undefined ? 'not measured' : `${ms(r.lateness)} late in the 99th percentile`}. The samples are in the JSON and CSV files that the page saves beside this one; every figure here is computed from them.</p>
</main>
</html>
`;
}

/** On a narrow page it is moved sideways, by the keyboard too. */
function tableHtml(label: string, heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((h) => `<th scope="col">${h}</th>`).join('');
  return `<section class="scroll" tabindex="0" aria-label="${label}"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

export const HEADS = [
  'Way',
  'Delay, median',
  '95 % below',
  '99 % below',
  'First picture',
  'Stalls',
  'Size, at least',
  'Received',
  'Upload',
  'Encodes',
  'Pictures',
] as const;

/** The first cell names the row. */
function rowHtml([name = '', ...cells]: readonly string[]): string {
  return `<tr><th scope="row">${safe(name)}</th>${cells.map((c) => `<td>${safe(c)}</td>`).join('')}</tr>`;
}

export const DEVICE_HEADS = [
  'Device',
  'Way',
  'Delay, median',
  '95 % below',
  '99 % below',
  'Clocks, at most',
  'First picture',
  'Stalls',
  'Pictures a second',
  'Dropped',
  'Pictures',
] as const;

function devicesHtml(devices: readonly DeviceFigures[]): string {
  if (devices.length === 0) return '';
  const rows = devices.map((d) => rowHtml(deviceCells(d)));
  return `<h2>Further devices</h2>\n${tableHtml('Further devices', DEVICE_HEADS, rows)}\n<p>${BY_DEVICES}</p>\n`;
}

/** What the figures of further devices are. */
export const BY_DEVICES =
  'Further devices tell once a second what they see. Their clocks are compared with the server’s by pings; “clocks, at most” is by how much that may be wrong. A line between the machines is in these delays.';

/** For those who read the figures. */
export const METHOD = [
  'Each picture has the time in it, as a strip of black and white squares, drawn in the moment when it is handed to the encoders. Viewers read it from the decoded picture in the moment when the browser puts that on the screen. The delay is the difference, by one clock.',
  'The same pictures that two ways have shown to one viewer are compared in pairs: what makes both late, as a busy machine does, falls out of the difference. The interval is by order statistics over medians of one second each. A screen shows pictures in steps, often of 17 ms, so that a median is at one step or another; the average, without the twentieth at either end, lies between.',
  'The interval is that of this run alone. A browser may show one way in another rhythm than the others for a whole run, so run it again before you believe a difference.',
  'All ways run at once, in one browser, on one machine, without a network between: delays of lines are not in the figures, and encoders share the processor. Plain HTTP uses another encoder (MediaRecorder) and has no sound, even if the file has; viewers who pass on decode and encode again.',
] as const;

function safe(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
