// The curves as a drawing: delay over the last half minute, one line for each way.

import type { Curves, Point } from './live';
import { WAYS, type Way, WORDS } from './plan';
import { ms } from './result';

const WIDTH = 900;
const HEIGHT = 280;
const LEFT = 116;
const BOTTOM = 36;
const SPAN = 30_000; // ms

/** Lines are told apart by their dashes as well as by their colours. In pixels of the screen; undefined: a line without. */
export const DASHES: Record<Way, string | undefined> = { sfu: undefined, star: '12 5', tree: '2 5', http: '12 4 2 4' };

export function Chart({ curves }: { curves: Curves }) {
  const shown = WAYS.filter((way) => curves[way]?.length);
  const all = shown.flatMap((way) => curves[way] ?? []);
  if (all.length === 0) return <p class="quiet">The curves begin with the first pictures.</p>;
  const end = Math.max(SPAN, ...all.map((p) => p.at));
  const top = ceiling(Math.max(...all.map((p) => p.delay)));
  const x = (at: number): number => LEFT + ((at - end + SPAN) / SPAN) * (WIDTH - LEFT - 8);
  const y = (delay: number): number => 8 + (1 - Math.max(0, delay) / top) * (HEIGHT - BOTTOM - 8);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={spoken(curves, shown)}>
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="grid" x1={LEFT} x2={WIDTH - 8} y1={y(part * top)} y2={y(part * top)} />
            <text class="label" x={LEFT - 8} y={y(part * top) + 4} text-anchor="end">
              {ms(part * top)}
            </text>
          </g>
        ))}
        <text class="label" x={(LEFT + WIDTH - 8) / 2} y={HEIGHT - 6} text-anchor="middle">
          half a minute
        </text>
        {shown.map((way) => (
          <polyline
            key={way}
            class={`curve ${way}`}
            stroke-dasharray={DASHES[way]}
            points={pointsOf(curves[way] ?? [], end - SPAN, x, y)}
          />
        ))}
      </svg>
      <figcaption class="legend">
        {shown.map((way) => (
          <span key={way} class="figure">
            <Mark way={way} />
            {WORDS[way].title}: {ms(curves[way]?.at(-1)?.delay ?? 0)}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** The line of a way, as it is in the drawing. */
export function Mark({ way }: { way: Way }) {
  return (
    <svg class="mark" viewBox="0 0 34 8" aria-hidden="true">
      <line class={`curve ${way}`} stroke-dasharray={DASHES[way]} x1={0} x2={34} y1={4} y2={4} />
    </svg>
  );
}

function pointsOf(
  list: readonly Point[],
  from: number,
  x: (at: number) => number,
  y: (delay: number) => number,
): string {
  return list
    .filter((p) => p.at >= from)
    .map((p) => `${x(p.at).toFixed(1)},${y(p.delay).toFixed(1)}`)
    .join(' ');
}

/** The next round number above: 1, 2 or 5 of some power of ten. */
export function ceiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((m) => m * power >= value) ?? 10);
}

function spoken(curves: Curves, shown: readonly Way[]): string {
  return `Delay now. ${shown.map((way) => `${WORDS[way].title}: ${ms(curves[way]?.at(-1)?.delay ?? 0)}`).join('. ')}`;
}
