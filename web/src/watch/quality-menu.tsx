// The quality of the picture: the menu in the bar.

import type { QualityWatch } from './quality';
import { choices } from './wish';

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
