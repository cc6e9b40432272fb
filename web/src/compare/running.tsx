// While it runs: the pictures of all ways side by side, the curves, and a link for further devices.

import { useEffect, useRef } from 'preact/hooks';
import { Button, Field } from '../ui/controls';
import { Fold } from '../ui/fold';
import { count } from '../ui/format';
import { CopyButton, onlyHere, QrCode } from '../ui/link';
import { Chart } from './chart';
import type { CompareController } from './controller';
import { DeviceTable } from './device-table';
import { DEVICE_WAYS, DEVICE_WORDS, type DeviceWay, WORDS } from './plan';
import type { Viewer } from './viewer';

const WHAT = {
  opening: 'Opening the ways …',
  settling: 'Waiting until all ways run smoothly …',
  measuring: 'Measuring. Keep this tab in view.',
  over: 'Done.',
} as const;

export function Running({ compare }: { compare: CompareController }) {
  const { phase, part } = compare.progress.value;
  return (
    <div class="stack compare" data-testid="progress" data-phase={phase}>
      <section class="card stack">
        <div class="row">
          <h1>{WHAT[phase]}</h1>
        </div>
        <progress class="progress" max={1} value={phase === 'measuring' ? part : phase === 'over' ? 1 : 0} />
        <Chart curves={compare.live.curves.value} />
        <div class="row">
          <Button data-testid="stop" onClick={() => compare.stop()}>
            End it now
          </Button>
        </div>
      </section>
      <ul class="tiles">
        {compare.viewers.value.map((viewer) => (
          <Tile key={`${viewer.way} ${viewer.number}`} viewer={viewer} />
        ))}
      </ul>
      {compare.link.value && compare.plan.value.ways.includes('sfu') ? <Further compare={compare} /> : null}
    </div>
  );
}

/** Puts the viewer's own element on the page. */
function Tile({ viewer }: { viewer: Viewer }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => frame.current?.replaceChildren(viewer.video), [viewer]);
  return (
    <li>
      <div class="screen" ref={frame} />
      <span class="small">
        {WORDS[viewer.way].title}, viewer {viewer.number + 1}
      </span>
    </li>
  );
}

function Further({ compare }: { compare: CompareController }) {
  const link = compare.link.value;
  const devices = compare.devices.value;
  const way = compare.deviceWay.value;
  const number = new Set(devices.map((d) => d.number)).size;
  const note = number === 0 ? 'By a link or a QR code' : count(number, 'device tells', 'devices tell');
  return (
    <Fold title="Further devices" note={note}>
      <p class="quiet">
        Whoever opens this link is one more viewer. What the first eight of them see comes back to this page and into
        the report. They keep their picture while the way changes; whoever cannot be reached stays with the server.
      </p>
      <Field
        label="They get the picture"
        hint={way === 'star' ? 'This page encodes it once more for each of them.' : undefined}
      >
        {(props) => (
          <select
            {...props}
            class="select"
            value={way}
            data-testid="device-way"
            onChange={(event) => compare.devicesWatchBy(event.currentTarget.value as DeviceWay)}
          >
            {DEVICE_WAYS.map((w) => (
              <option key={w} value={w}>
                {DEVICE_WORDS[w]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {devices.length > 0 ? <DeviceTable devices={devices} /> : null}
      <div class="row">
        <input class="input mono" readOnly value={link} aria-label="Link" data-testid="link" />
        <CopyButton text={link} field="link" />
      </div>
      {onlyHere(link) ? null : <QrCode text={link} />}
    </Fold>
  );
}
