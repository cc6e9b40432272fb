// Asks for the publish key where the server wants one; what was chosen stays chosen.

import { useState } from 'preact/hooks';
import { keyInText } from '../signal/key';
import { Button, Field, Switch } from '../ui/controls';
import { Page } from '../ui/layout';
import type { SendController } from './controller';
import { titleOf } from './send';

export function KeyForm({ send }: { send: SendController }) {
  const [text, setText] = useState('');
  const [remember, setRemember] = useState(false);
  const [tried, setTried] = useState(false);
  const state = send.state.value;
  return (
    <Page narrow>
      <form
        class="card stack over"
        data-testid="key-form"
        onSubmit={(event) => {
          event.preventDefault();
          const key = keyInText(text);
          setTried(true);
          if (key) send.useKey(key, remember);
        }}
      >
        <h1>This server asks for its key</h1>
        <p class="quiet">
          {titleOf(state)}: ready to go. Fanfare printed the key when it was started for the first time, in an address
          that ends in <code>/studio#key=…</code>. Paste the key, or that address.
        </p>
        <Field
          label="Key, or the whole address"
          hint="Lost it? Whoever runs the server makes a new one with “fanfare key new”."
          error={tried ? 'That is not the key of this server.' : undefined}
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
        <Switch checked={remember} onChange={setRemember}>
          Remember the key on this device
        </Switch>
        <div class="row">
          <Button variant="primary" large submit disabled={text.trim() === ''} data-testid="key-open">
            Share
          </Button>
          <Button variant="ghost" onClick={() => send.close()}>
            Cancel
          </Button>
        </div>
      </form>
    </Page>
  );
}
