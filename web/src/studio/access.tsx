// Who may watch: a password, other sites, and the key of this page.

import { useState } from 'preact/hooks';
import { MAX_PASSWORD } from '../signal/msg.gen';
import { Button, Field, Switch } from '../ui/controls';
import { Fold } from '../ui/fold';
import { LockIcon } from '../ui/icons';
import type { StudioController } from './controller';

export function AccessCard({ studio }: { studio: StudioController }) {
  const { access } = studio.state.value;
  return (
    <Fold title="Who may watch" note={access.password ? 'With a password' : 'Whoever has the link'}>
      <Password studio={studio} />
      <Switch
        checked={access.embed}
        testid="embed"
        onChange={(embed) => studio.feed({ kind: 'command', message: { type: 'set-access', embed } })}
      >
        Other websites may show the stream in their pages
      </Switch>
      <Switch checked={studio.key.kept.value} testid="keep-key" onChange={(on) => studio.key.remember(on)}>
        Remember the key of this studio on this device
      </Switch>
      <div class="leave">
        <Button variant="ghost" data-testid="forget-key" onClick={() => studio.feed({ kind: 'forgetKey' })}>
          Leave the studio and forget the key
        </Button>
      </div>
    </Fold>
  );
}

function Password({ studio }: { studio: StudioController }) {
  const [text, setText] = useState('');
  const { access } = studio.state.value;
  const tooLong = new TextEncoder().encode(text).length > MAX_PASSWORD;
  const set = (password: string): void => {
    studio.feed({ kind: 'command', message: { type: 'set-access', password } });
    setText('');
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (text && !tooLong) set(text);
      }}
    >
      <Field
        label={access.password ? 'Another password' : 'Password for viewers'}
        hint={
          access.password
            ? 'A password is set. Tell it to your viewers yourself; it is not in the link.'
            : 'Without one, the link alone is enough.'
        }
        error={tooLong ? 'That is too long.' : undefined}
      >
        {(props) => (
          <div class="joined">
            <input
              {...props}
              class="input"
              autocomplete="off"
              spellcheck={false}
              value={text}
              data-testid="password"
              onInput={(event) => setText(event.currentTarget.value)}
            />
            <Button submit icon={<LockIcon size={18} />} disabled={!text || tooLong} data-testid="password-save">
              Set
            </Button>
          </div>
        )}
      </Field>
      {access.password ? (
        <div>
          <Button data-testid="password-remove" onClick={() => set('')}>
            Remove the password
          </Button>
        </div>
      ) : null}
    </form>
  );
}
