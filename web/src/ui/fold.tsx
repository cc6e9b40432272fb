// A card that opens and closes, with a word on what is in it while it is closed.

import type { ComponentChildren } from 'preact';
import { ChevronIcon } from './icons';

export function Fold({
  title,
  note,
  open,
  children,
  ...rest
}: {
  title: string;
  note?: ComponentChildren;
  open?: boolean;
  children: ComponentChildren;
  'data-testid'?: string;
}) {
  return (
    <details class="card fold" open={open} {...rest}>
      <summary>
        <h2>{title}</h2>
        <span class="quiet small note">{note}</span>
        <ChevronIcon size={20} />
      </summary>
      <div class="stack">{children}</div>
    </details>
  );
}
