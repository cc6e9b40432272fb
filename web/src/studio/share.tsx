// The link for viewers: to copy, to share, to photograph, to change.

import { useEffect, useState } from 'preact/hooks';
import { encode } from 'uqr';
import { Button, Field } from '../ui/controls';
import { CheckIcon, CopyIcon, LinkIcon, ShareIcon } from '../ui/icons';
import { Dialog } from '../ui/layout';
import type { StudioController } from './controller';
import { NameField } from './name-field';
import { shownTitle, watchLink } from './select';

export function Share({ studio }: { studio: StudioController }) {
  const state = studio.state.value;
  const link = watchLink(state);
  const [asking, setAsking] = useState(false);
  return (
    <section class="card share" aria-labelledby="share-title">
      <h2 id="share-title">Link for viewers</h2>
      <Field label="Whoever has it can watch" hint={hintFor(link)}>
        {(props) => (
          <input
            {...props}
            class="input mono"
            readOnly
            value={link}
            data-testid="link"
            onFocus={(event) => event.currentTarget.select()}
          />
        )}
      </Field>
      <div class="row">
        <CopyButton text={link} />
        {navigator.share ? (
          <Button
            icon={<ShareIcon size={18} />}
            disabled={link === ''}
            data-testid="share-link"
            onClick={() => void navigator.share({ title: shownTitle(state), url: link }).catch(() => undefined)}
          >
            Share
          </Button>
        ) : null}
      </div>
      <NameField studio={studio} />
      {link && !onlyHere(link) ? <QrCode text={link} /> : null}
      <Button
        variant="ghost"
        icon={<LinkIcon size={18} />}
        disabled={link === ''}
        data-testid="change-link"
        onClick={() => setAsking(true)}
      >
        Change the link
      </Button>
      <Dialog open={asking} title="Change the link?" onClose={() => setAsking(false)}>
        <p>The old link stops working at once, and everybody who is watching has to be given the new one.</p>
        <div class="row">
          <Button
            variant="danger"
            data-testid="change-link-confirm"
            onClick={() => {
              setAsking(false);
              studio.feed({ kind: 'command', message: { type: 'change-link' } });
            }}
          >
            Change it
          </Button>
          <Button onClick={() => setAsking(false)}>Keep it</Button>
        </div>
      </Dialog>
    </section>
  );
}

/** A phone cannot open an address that means "this computer", so there is no code for it. */
function onlyHere(link: string): boolean {
  return /^https?:\/\/(localhost|127\.|\[::1\])/.test(link);
}

function hintFor(link: string): string | undefined {
  return onlyHere(link)
    ? 'This address works on this computer only. Start Fanfare with --public-url for others.'
    : undefined;
}

function CopyButton({ text }: { text: string }) {
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
      data-testid="copy-link"
      onClick={() => void copy(text).then(setDone)}
    >
      <span aria-live="polite">{done ? 'Copied' : 'Copy'}</span>
    </Button>
  );
}

/** Pages without https have no clipboard; there the selected field is copied the old way. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    document.querySelector<HTMLInputElement>('[data-testid="link"]')?.select();
    return document.execCommand('copy');
  }
}

/** Dark on white in both schemes: many cameras do not read it the other way round. */
function QrCode({ text }: { text: string }) {
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
