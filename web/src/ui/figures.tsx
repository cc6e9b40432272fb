// The panel with the figures of a connection, for those who want to know.

import type { ComponentChildren } from 'preact';
import type { Figures, TrackRates } from '../stats/rates';
import type { Address } from '../stats/vocabulary';
import { bitrate, milliseconds, percent } from './format';

/** first: what the page itself has to say about the picture. peer: the other side is no server. */
export function FiguresPanel({
  figures,
  first,
  peer,
}: {
  figures: Figures | undefined;
  first?: ComponentChildren;
  peer?: boolean;
}) {
  return (
    <div class="figures figure">
      {first}
      {figures ? (
        <Connection figures={figures} peer={peer} />
      ) : (
        <p class="quiet small">{first ? 'No live connection to measure.' : 'No connection to measure yet.'}</p>
      )}
    </div>
  );
}

function Connection({ figures, peer }: { figures: Figures; peer: boolean | undefined }) {
  const { transport } = figures;
  return (
    <>
      {figures.tracks.map((track) => (
        <Track key={`${track.direction}${track.kind}${track.rid ?? ''}`} track={track} />
      ))}
      <section>
        <h3>Connection</h3>
        <Facts
          rows={[
            ['Received', bitrate(figures.bitrateIn)],
            ['Sent', bitrate(figures.bitrateOut)],
            ['Round trip', milliseconds(figures.roundTrip)],
            [
              'Encryption',
              [transport.srtpCipher, transport.dtlsVersion && `DTLS ${transport.dtlsVersion}`]
                .filter(Boolean)
                .join(', '),
            ],
            [peer ? 'Other side' : 'Server', place(transport.remote)],
            ['This device', place(transport.local)],
          ]}
        />
      </section>
    </>
  );
}

function Track({ track }: { track: TrackRates }) {
  const video = track.kind === 'video';
  const title = `${video ? 'Picture' : 'Sound'}${track.rid ? ` (${track.rid})` : ''}`;
  return (
    <section>
      <h3>{title}</h3>
      <Facts rows={[...commonRows(track), ...(video ? videoRows(track) : audioRows(track))]} />
    </section>
  );
}

export type Row = [name: string, value: string | undefined];

function commonRows(t: TrackRates): Row[] {
  return [
    ['Format', t.codec === 'opus' ? 'Opus' : t.codec],
    ['Rate', bitrate(t.bitrate)],
    ['Lost on the way', `${percent(t.loss)} (${Math.max(0, t.lost)} of ${t.packets + Math.max(0, t.lost)})`],
    ['Sent again', String(t.retransmitted)],
    ['Jitter', milliseconds(t.jitter)],
    ['Buffer', t.direction === 'in' ? milliseconds(t.buffer) : undefined],
  ];
}

function videoRows(t: TrackRates): Row[] {
  const inbound = t.direction === 'in';
  return [
    ['Size', t.width && t.height ? `${t.width} × ${t.height}` : '–'],
    ['Frames', `${t.frameRate.toFixed(0)} a second, ${t.frames} in all`],
    ['Dropped', inbound ? String(t.dropped) : undefined],
    ['Freezes', inbound ? String(t.freezes) : undefined],
    ['Asked for', `${t.nacks} repeats, ${t.plis} key frames`],
  ];
}

function audioRows(t: TrackRates): Row[] {
  return [['Filled in', t.direction === 'in' ? percent(t.concealed) : undefined]];
}

export function Facts({ rows }: { rows: Row[] }) {
  return (
    <dl>
      {rows.map(([name, value]) =>
        value === undefined ? null : (
          <>
            <dt>{name}</dt>
            <dd>{value || '–'}</dd>
          </>
        ),
      )}
    </dl>
  );
}

function place(a: Address | undefined): string {
  if (!a) return '–';
  const host = a.address.includes(':') ? `[${a.address}]` : a.address;
  return `${host || 'hidden by the browser'}:${a.port} (${a.protocol}, ${a.type})`;
}
