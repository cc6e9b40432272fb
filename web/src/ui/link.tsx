// A link that people pass on: to copy, and to photograph.

import { useEffect, useState } from 'preact/hooks';
import { encode } from 'uqr';
import { Button } from './controls';
import { CheckIcon, CopyIcon } from './icons';

/** A phone cannot open an address that means "this computer", so there is no code for it. */
export function onlyHere(link: string): boolean {
  return /^https?:\/\/(localhost|127\.|\[::1\])/.test(link);
}

/** Copies a text that is also in the field of that data-testid. */
export function CopyButton({ text, field }: { text: string; field: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 2_500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Button
      icon={done ? <CheckIcon size={18} /> : <CopyIcon size={18} />}
      disabled={text === ''}
      data-testid={`copy-${field}`}
      onClick={() => void copy(text, field).then(setDone)}
    >
      <span aria-live="polite">{done ? 'Copied' : 'Copy'}</span>
    </Button>
  );
}

/** Pages without https have no clipboard; there the selected field is copied the old way. */
async function copy(text: string, field: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    document.querySelector<HTMLInputElement>(`[data-testid="${field}"]`)?.select();
    return document.execCommand('copy');
  }
}

/** Dark on white in both schemes: many cameras do not read it the other way round. */
export function QrCode({ text }: { text: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: 3 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return (
    <figure class="qr" data-testid="qr">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code of the link" shape-rendering="crispEdges">
        <rect class="ground" width={size} height={size} />
        <path class="cells" d={path} />
      </svg>
      <figcaption class="quiet small">Point a phone’s camera at it.</figcaption>
    </figure>
  );
}
