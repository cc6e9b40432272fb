// What the panel of figures says of the picture's quality.

import { Facts } from '../ui/figures';
import { bitrate } from '../ui/format';
import type { WatchController } from './controller';
import { boundWords } from './wish';

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
