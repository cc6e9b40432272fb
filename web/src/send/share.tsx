// The link, its QR code, and the short code to read out.

import { Button, Field } from '../ui/controls';
import { ShareIcon } from '../ui/icons';
import { CopyButton, onlyHere, QrCode } from '../ui/link';
import type { SendController } from './controller';

export function ShareLink({ send }: { send: SendController }) {
  const { link, phase, over } = send.state.value;
  if (over) return null;
  return (
    <aside class="card share" aria-labelledby="share-title">
      <h2 id="share-title">Link for receivers</h2>
      <Field
        label={phase === 'open' ? 'Whoever has it can receive' : 'It works in a moment …'}
        hint={
          onlyHere(link)
            ? 'This address works on this computer only. Start Fanfare with --public-url for others.'
            : 'The part behind # is the secret; it never reaches the server.'
        }
      >
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
            onClick={() => void navigator.share({ title: 'Files for you', url: link }).catch(() => undefined)}
          >
            Share
          </Button>
        ) : null}
      </div>
      <ShortCode send={send} />
      {onlyHere(link) ? null : <QrCode text={link} />}
    </aside>
  );
}

function ShortCode({ send }: { send: SendController }) {
  const { code, codeEnded, phase, link } = send.state.value;
  if (phase !== 'open') return null;
  if (!code) {
    return (
      <div class="stack code">
        <p class="quiet small">
          {codeEnded === 'guessed'
            ? 'Somebody has guessed at the short code, so it no longer works. The link still does.'
            : codeEnded === 'time'
              ? 'The short code has had its time. The link still works.'
              : 'Asking for a short code …'}
        </p>
        {codeEnded ? <Button onClick={() => send.newCode()}>Make a new code</Button> : null}
      </div>
    );
  }
  return (
    <div class="code">
      <p class="small label">Or read out this code</p>
      <p class="words" data-testid="code">
        {code.text}
      </p>
      <p class="quiet small">
        It is typed in at <b>{new URL(link).host}/f</b> or with “fanfare get”, and works until{' '}
        {new Date(code.until).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}.
      </p>
    </div>
  );
}
