// The words by which two people see that nobody stands between their browsers.

import type { ComponentChildren } from 'preact';

/** children say what the words are for. open: they are shown at once. */
export function CheckWords({
  words,
  open,
  children,
}: {
  words: string | undefined;
  open: boolean;
  children: ComponentChildren;
}) {
  if (words === undefined) return null;
  return (
    <details class="check-words small" open={open}>
      <summary>Check words</summary>
      <p class="words" data-testid="check-words">
        {words}
      </p>
      <p class="quiet">{children}</p>
    </details>
  );
}
