// What the panel says of what the viewer sees: delay, join time and stalls.

import type { Delay } from '../stats/glass';
import { Button } from '../ui/controls';
import { download } from '../ui/download';
import { Facts, type Row } from '../ui/figures';
import { milliseconds, seconds } from '../ui/format';
import type { WatchController } from './controller';
import type { GlassView } from './glass';

export function GlassFigures({ watch }: { watch: WatchController }) {
  const view = watch.glass.view.value;
  const why = whyUnknown(view);
  return (
    <section
      data-testid="glass-figures"
      data-strip={view.byStrip?.median}
      data-capture={view.byCapture?.median}
      data-error={view.error}
    >
      <h3>What you see</h3>
      <Facts rows={rowsOf(view)} />
      {why ? <p class="quiet">{why}</p> : null}
      {watch.telling.value ? (
        <p class="quiet" data-testid="telling">
          The person who shares this compares ways: this page tells them its delays, pictures and stalls.
        </p>
      ) : null}
      <div class="row">
        <Button onClick={() => save(watch)}>Save the samples</Button>
      </div>
    </section>
  );
}

/** Why the delay is not known by the picture itself; undefined where it is. */
export function whyUnknown({ byStrip, byCapture }: Pick<GlassView, 'byStrip' | 'byCapture'>): string | undefined {
  if (byStrip) return undefined;
  const when =
    'The time in the picture tells the delay. The studio draws it where “Show the time in the picture” is switched on; a clip that was recorded before and is sent by another program, as the demo is, has none.';
  return byCapture ? `${when} The delay by capture time does without.` : when;
}

export function rowsOf(view: GlassView): Row[] {
  const { byStrip, byCapture, error, join, stalls } = view;
  return [
    ['Delay', byStrip ? `${spread(byStrip)}${error === undefined ? ', clocks not compared' : ''}` : undefined],
    ['Error of the clocks', byStrip && error !== undefined ? `at most ${milliseconds(error / 1000)}` : undefined],
    ['Delay by capture time', byCapture ? spread(byCapture) : undefined],
    ['First picture after', join === undefined ? undefined : seconds(join / 1000)],
    ['Stalls', stalls.count === 0 ? 'none' : `${stalls.count}, ${seconds(stalls.time / 1000)} in all`],
  ];
}

function spread(delay: Delay): string {
  return `${milliseconds(delay.median / 1000)} (95 % below ${milliseconds(delay.p95 / 1000)})`;
}

function save(watch: WatchController): void {
  const name = `fanfare-samples-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`;
  const { log } = watch.glass;
  const about = { page: 'watch', browser: navigator.userAgent, clock: watch.clock() ?? null };
  download(`${name}.json`, 'application/json', log.json(about));
  download(`${name}.csv`, 'text/csv', log.csv());
}
