// Asks for the publish key, calmly: where it is, and what to do with it. Nothing of the studio is
// shown before the server has taken the key.

import { useState } from 'preact/hooks';
import { keyInText } from '../signal/key';
import { wordsFor } from '../signal/words';
import { Button, Field, Switch } from '../ui/controls';
import { Notice, Page } from '../ui/layout';
import type { StudioController } from './controller';

export function KeyForm({ studio }: { studio: StudioController }) {
  const [text, setText] = useState('');
  const [remember, setRemember] = useState(false);
  const [empty, setEmpty] = useState(false);
  const { key } = studio.state.value;
  const submit = (): void => {
    const found = keyInText(text);
    setEmpty(!found);
    if (found) studio.feed({ kind: 'key', key: found, remember });
  };
  return (
    <Page narrow>
      <form
        class="card key-form"
        data-testid="key-form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <h1>Open the studio</h1>
        <p class="quiet">
          Sharing from here needs the key of this server. Fanfare printed it when it was started for the first time, in
          an address that ends in <code>/studio#key=…</code>. Open that address, or paste it here.
        </p>
        <Field
          label="Key, or the whole address"
          hint="Lost it? Whoever runs the server makes a new one with “fanfare key new”."
          error={empty ? 'Paste the key or the address that holds it.' : key.problem}
        >
          {(props) => (
            <input
              {...props}
              class="input mono"
              type="password"
              autocomplete="off"
              spellcheck={false}
              value={text}
              data-testid="key-input"
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <Switch checked={remember} onChange={setRemember} testid="key-remember">
          Remember the key on this device
        </Switch>
        <Waiting studio={studio} />
        <div class="row">
          <Button variant="primary" large submit busy={key.phase === 'trying'} data-testid="key-open">
            Open the studio
          </Button>
        </div>
      </form>
    </Page>
  );
}

/** The key came with the link, or was kept: it takes a moment to learn whether it is good. */
export function CheckingKey({ studio }: { studio: StudioController }) {
  return (
    <Page narrow>
      <div class="checking" role="status">
        <h1 class="row quiet">
          <span class="spinner" aria-hidden="true" /> Opening the studio …
        </h1>
        <Waiting studio={studio} />
      </div>
    </Page>
  );
}

/** Why the server has not said anything about the key yet. */
function Waiting({ studio }: { studio: StudioController }) {
  const { link, key } = studio.state.value;
  // The first lost try is most often a short gap.
  if (key.phase !== 'trying' || link.phase !== 'waiting' || link.attempt < 2) return null;
  return (
    <Notice tone="warn" title={link.code === 'network' ? 'The server does not answer.' : wordsFor(link.code)}>
      This page tries again by itself.
    </Notice>
  );
}
