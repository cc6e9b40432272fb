// The link for viewers: to copy, to share, to photograph, to change.

import { useState } from 'preact/hooks';
import { Button, Field } from '../ui/controls';
import { LinkIcon, ShareIcon } from '../ui/icons';
import { Dialog } from '../ui/layout';
import { CopyButton, onlyHere, QrCode } from '../ui/link';
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
        <CopyButton text={link} field="link" />
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

function hintFor(link: string): string | undefined {
  return onlyHere(link)
    ? 'This address works on this computer only. Start Fanfare with --public-url for others.'
    : undefined;
}
