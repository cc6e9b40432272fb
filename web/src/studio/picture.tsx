// The settings of the picture, with what they come to.

import { qualityWords } from '../media/qualities';
import {
  BITRATES,
  type CODECS,
  codecsAmong,
  HEIGHTS,
  limitsFor,
  RATES,
  type Settings,
  sendable,
  sentSize,
} from '../media/settings';
import { Field, Switch } from '../ui/controls';
import { Fold } from '../ui/fold';
import { bitrate } from '../ui/format';
import type { StudioController } from './controller';

const HEIGHT_WORDS: Record<number, string> = {
  1080: '1080p – full HD',
  720: '720p – good for most',
  480: '480p – saves data',
  360: '360p – for thin lines',
};

const CODEC_WORDS: Record<(typeof CODECS)[number], string> = {
  VP8: 'VP8 – light work, plays everywhere',
  VP9: 'VP9 – finer picture, more work',
  H264: 'H.264 – not in every Firefox',
  AV1: 'AV1 – finest picture, most work',
};

export function PictureCard({ studio }: { studio: StudioController }) {
  const { settings, kind } = studio.state.value;
  const size = studio.stage.size();
  const sent = size && sentSize(settings, size);
  const most = limitsFor(settings, size, kind ?? 'file').maxBitrate ?? 0;
  const set = (change: Partial<Settings>): void =>
    studio.feed({ kind: 'settings', settings: { ...settings, ...change } });
  const number = (text: string): number | undefined => (text === '' ? undefined : Number(text));
  return (
    <Fold title="Picture" note={sent ? `${sent.width} × ${sent.height}, up to ${bitrate(most)}` : 'As it is'}>
      <div class="settings">
        <Choice
          label="Size"
          testid="resolution"
          value={settings.height === 'source' ? '' : String(settings.height)}
          options={[
            ['', size ? `As it is (${size.width} × ${size.height})` : 'As it is'],
            ...HEIGHTS.map(heightOption),
          ]}
          onChoose={(v) => set({ height: number(v) ?? 'source' })}
        />
        <Choice
          label="Pictures a second"
          testid="frame-rate"
          value={settings.frameRate === 'source' ? '' : String(settings.frameRate)}
          options={[['', 'As many as it has'], ...RATES.map((r): Option => [String(r), `At most ${r}`])]}
          onChoose={(v) => set({ frameRate: number(v) ?? 'source' })}
        />
        <Choice
          label="Data rate"
          testid="bitrate"
          value={settings.bitrate === 'auto' ? '' : String(settings.bitrate)}
          options={[
            ['', 'As the size needs'],
            ...BITRATES.map((b): Option => [String(b), `At most ${bitrate(b * 1000)}`]),
          ]}
          onChoose={(v) => set({ bitrate: number(v) ?? 'auto' })}
        />
        <Choice
          label="When the line is too thin"
          testid="keep"
          value={settings.keep}
          options={[
            ['auto', 'Decide by what is shown'],
            ['balance', 'A little of both'],
            ['motion', 'Keep it moving, less sharp'],
            ['detail', 'Keep it sharp, less smooth'],
          ]}
          onChoose={(v) => set({ keep: v as Settings['keep'] })}
        />
        <Choice
          label="Format"
          testid="codec"
          value={settings.codec}
          options={[
            ['auto', 'What every browser plays'],
            ...codecsAmong(sendable()).map((c): Option => [c, CODEC_WORDS[c]]),
          ]}
          onChoose={(v) => set({ codec: v as Settings['codec'] })}
        />
        <Choice
          label="Delay for viewers"
          testid="delay"
          value={settings.delay}
          options={[
            ['auto', 'As each player likes'],
            ['least', 'As little as possible'],
            ['steady', 'A little more, for lines that shake'],
          ]}
          onChoose={(v) => set({ delay: v as Settings['delay'] })}
        />
      </div>
      <Switch testid="one-quality" checked={settings.one} onChange={(one) => set({ one })}>
        One quality only
      </Switch>
      <p class="quiet small" data-testid="qualities">
        {qualityWords(settings, size, studio.several)}
      </p>
    </Fold>
  );
}

type Option = [value: string, words: string];

const heightOption = (h: number): Option => [String(h), HEIGHT_WORDS[h] ?? `${h}p`];

function Choice({
  label,
  testid,
  value,
  options,
  onChoose,
}: {
  label: string;
  testid: string;
  value: string;
  options: readonly Option[];
  onChoose(value: string): void;
}) {
  return (
    <Field label={label}>
      {(props) => (
        <select
          {...props}
          class="select"
          value={value}
          data-testid={testid}
          onChange={(event) => onChoose(event.currentTarget.value)}
        >
          {options.map(([v, words]) => (
            <option key={v} value={v}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
