// The quality of the picture: the menu in the bar, and what the panel of figures says of it.

import { Facts } from '../ui/figures';
import { bitrate } from '../ui/format';
import type { WatchController } from './controller';
import type { QualityWatch } from './quality';
import { boundWords, choices } from './wish';

/** The system's own menu: keyboards and screen readers know it. Nothing to choose from: no menu. */
export function QualityMenu({ quality }: { quality: QualityWatch }) {
  const chosen = quality.chosen.value;
  const list = choices(quality.picture.value, chosen);
  if (list.length < 3 && chosen === undefined) return null;
  return (
    <select
      class="quality"
      aria-label="Quality"
      title="Quality"
      data-testid="quality"
      value={chosen ?? ''}
      onChange={(event) => quality.choose(Number(event.currentTarget.value) || undefined)}
    >
      {list.map(({ height, words }) => (
        <option key={height ?? 'auto'} value={height ?? ''}>
          {words}
        </option>
      ))}
    </select>
  );
}

export function QualityFigures({ watch }: { watch: WatchController }) {
  const { quality } = watch;
  const picture = quality.picture.value;
  if (!picture?.current) return null;
  const { width, height, bitrate: rate } = picture.current;
  return (
    <section data-testid="quality-figures">
      <h3>Quality</h3>
      <Facts
        rows={[
          ['Now', `${width > 0 ? `${width} × ${height}, ` : ''}${bitrate(rate)}`],
          [
            'Your line carries',
            picture.estimate === undefined ? 'not known yet' : `about ${bitrate(picture.estimate)}`,
          ],
          [
            'Why not better',
            boundWords(picture, { chosen: quality.chosen.value !== undefined, hidden: quality.hidden }),
          ],
        ]}
      />
    </section>
  );
}
