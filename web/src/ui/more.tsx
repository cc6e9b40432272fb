// A long list of which the beginning is shown, and more of it when somebody wants it.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from './controls';
import { Announcer } from './layout';

/** How many rows are shown after so many presses, and how many the next press adds. */
export function shownOf(total: number, step: number, presses: number): { shown: number; next: number } {
  const shown = Math.min(total, step * (1 + presses));
  return { shown, next: Math.min(step, total - shown) };
}

/**
 * children makes the rows up to a number, as the children of one list, each of which can take the focus
 * (tabIndex -1): with a press it goes to the first that is new, as the button may be gone.
 */
export function More({
  total,
  step,
  children,
}: {
  total: number;
  step: number;
  children(shown: number): ComponentChildren;
}) {
  const [presses, setPresses] = useState(0);
  const place = useRef<HTMLDivElement>(null);
  const { shown, next } = shownOf(total, step, presses);
  useEffect(() => {
    const row = presses > 0 ? place.current?.firstElementChild?.children[step * presses] : undefined;
    if (row instanceof HTMLElement) row.focus();
  }, [presses, step]);
  return (
    <div class="stack">
      <div ref={place}>{children(shown)}</div>
      {next > 0 ? (
        <div class="row">
          <Button data-testid="more" onClick={() => setPresses(presses + 1)}>
            Show {next.toLocaleString('en-GB')} more
          </Button>
          <span class="quiet small">
            {shown.toLocaleString('en-GB')} of {total.toLocaleString('en-GB')} are shown.
          </span>
        </div>
      ) : null}
      <Announcer text={presses > 0 ? `${shown} of ${total} are shown.` : ''} />
    </div>
  );
}
