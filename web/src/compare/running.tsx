// While it runs: the pictures of all ways side by side, the curves, and a link for further devices.

import { useEffect, useRef } from 'preact/hooks';
import { Button, Field } from '../ui/controls';
import { Fold } from '../ui/fold';
import { count } from '../ui/format';
import { Notice } from '../ui/layout';
import { CopyButton, onlyHere, QrCode } from '../ui/link';
import { Progress } from '../ui/progress';
import { Chart } from './chart';
import type { CompareController } from './controller';
import { leftOutWords, type Notes } from './course';
import { DeviceTable } from './device-table';
import { called, DEVICE_WAYS, DEVICE_WORDS, type DeviceWay, WORDS } from './plan';
import type { Viewer } from './viewer';

export const PHASE_WORDS = {
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
        <h1 tabIndex={-1}>{PHASE_WORDS[phase]}</h1>
        <Progress share={phase === 'measuring' ? part : phase === 'over' ? 1 : 0} label="Measured" />
        <Befallen notes={compare.notes.value} />
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
      {compare.link.value ? <Further compare={compare} /> : null}
    </div>
  );
}

/** What has happened to the run until now. */
function Befallen({ notes }: { notes: Notes }) {
  const { troubles, leftOut } = notes;
  return (
    <>
      {leftOut.map((one) => (
        <Notice key={one.way}>{leftOutWords(one)}</Notice>
      ))}
      {troubles.length > 0 ? (
        <Notice tone="warn" title="The result will be invalid.">
          {troubles.join(' ')}
        </Notice>
      ) : null}
    </>
  );
}

/** Puts the viewer's own element on the page. */
function Tile({ viewer }: { viewer: Viewer }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => frame.current?.replaceChildren(viewer.video), [viewer]);
  return (
    <li>
      <div class="screen" ref={frame} />
      <span class="small">{called(viewer.way, viewer.number)}</span>
    </li>
  );
}

function Further({ compare }: { compare: CompareController }) {
  return compare.plan.value.ways.includes('sfu') ? <Devices compare={compare} /> : <NoDevices />;
}

/** Where the link and its code would be. */
function NoDevices() {
  return (
    <Fold title="Further devices" note="Not in this run" data-testid="no-devices">
      <p class="quiet">
        Further devices come in by the server, and this run does not use it. They can take part, by a link or a QR code
        here, when “{WORDS.sfu.title}” is among the ways.
      </p>
    </Fold>
  );
}

function Devices({ compare }: { compare: CompareController }) {
  const link = compare.link.value;
  const devices = compare.devices.value;
  const way = compare.deviceWay.value;
  const number = new Set(devices.map((d) => d.number)).size;
  const note = number === 0 ? 'By a link or a QR code' : count(number, 'device tells', 'devices tell');
  return (
    <Fold title="Further devices" note={note}>
      <p class="quiet">
        Whoever opens this link is one more viewer, and comes in by the server, which is among the ways of this run.
        What the first eight of them see comes back to this page and into the report. They keep their picture while the
        way changes; whoever cannot be reached stays with the server.
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
      {onlyHere(link) ? (
        <p class="quiet small">
          There is no QR code, because this address works on this computer only. Start Fanfare with --public-url for
          others.
        </p>
      ) : (
        <QrCode text={link} />
      )}
    </Fold>
  );
}
