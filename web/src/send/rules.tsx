// Whom the link lets in, how fast it sends, and its end.

import { useState } from 'preact/hooks';
import { MAX_PASSWORD } from '../mesh/messages';
import { Button, Field, Switch } from '../ui/controls';
import { Fold } from '../ui/fold';
import { moment } from '../ui/format';
import { LockIcon } from '../ui/icons';
import { Dialog } from '../ui/layout';
import type { SendController } from './controller';
import type { State } from './state';

/** Places in a room, without the one of the uploader. */
const MOST = 63;

const MIB = 1024 * 1024;
/** Bytes a second that can be set. */
const SLOWEST = MIB / 10;

/** How long a link may work from now on, in seconds. */
const LIVES = [
  [600, '10 minutes'],
  [3_600, 'an hour'],
  [86_400, 'a day'],
  [3 * 86_400, 'three days'],
  [7 * 86_400, 'a week'],
] as const;

export function Rules({ send }: { send: SendController }) {
  const { rule, rate } = send.state.value;
  return (
    <Fold title="Limits" note={noteOf(rule, rate)} data-testid="rules">
      <p class="quiet small">Who may receive: this holds for those who come from now on.</p>
      <Switch checked={rule.approve} testid="approve" onChange={(approve) => send.setRule({ ...rule, approve })}>
        Ask me about each one
      </Switch>
      <Password send={send} />
      <Field
        label="At most so many receivers"
        hint={`Empty for no limit; there is room for ${MOST} at a time. Who only looks at the names is not counted.`}
      >
        {(props) => (
          <input
            {...props}
            class="input short"
            type="number"
            min={1}
            max={MOST}
            value={rule.most === 0 ? '' : rule.most}
            data-testid="most"
            onChange={({ currentTarget: { valueAsNumber } }) =>
              send.setRule({ ...rule, most: valueAsNumber >= 1 ? Math.min(MOST, Math.floor(valueAsNumber)) : 0 })
            }
          />
        )}
      </Field>
      <Life send={send} />
      <Rate send={send} />
      <Close send={send} />
    </Fold>
  );
}

function Life({ send }: { send: SendController }) {
  const { expires } = send.state.value;
  if (expires === undefined) return null;
  return (
    <Field
      label={`The link works until ${moment(expires)}`}
      hint="Then the server closes it. Those who are connected still get the rest from this page."
    >
      {(props) => (
        <select
          {...props}
          class="select"
          value=""
          data-testid="life"
          data-until={expires}
          onChange={({ currentTarget }) => {
            send.setLife(Number(currentTarget.value));
            currentTarget.value = '';
          }}
        >
          <option value="">Leave it so</option>
          {LIVES.map(([seconds, words]) => (
            <option key={seconds} value={seconds}>
              From now on {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Rate({ send }: { send: SendController }) {
  const { rate } = send.state.value;
  return (
    <Field label="Send at most so many MiB a second" hint="Over all receivers. Empty for no limit.">
      {(props) => (
        <input
          {...props}
          class="input short"
          type="number"
          min={SLOWEST / MIB}
          step="any"
          value={rate === 0 ? '' : rate / MIB}
          data-testid="rate"
          onChange={({ currentTarget: { valueAsNumber } }) =>
            send.setRate(valueAsNumber > 0 ? Math.max(SLOWEST, Math.round(valueAsNumber * MIB)) : 0)
          }
        />
      )}
    </Field>
  );
}

function noteOf({ approve, password, most }: State['rule'], rate: number): string {
  const parts = [
    approve ? 'After you agree' : '',
    password ? 'With a password' : '',
    most > 0 ? `At most ${most}` : '',
    rate > 0 ? `${Number((rate / MIB).toFixed(1))} MiB/s` : '',
  ];
  return parts.filter((part) => part !== '').join(', ') || 'Whoever has the link';
}

function Password({ send }: { send: SendController }) {
  const { rule } = send.state.value;
  const [text, setText] = useState('');
  const tooLong = new TextEncoder().encode(text).length > MAX_PASSWORD;
  const set = (password: string): void => {
    send.setRule({ ...rule, password });
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
        label={rule.password ? 'Another password' : 'Password for receivers'}
        hint={
          rule.password
            ? 'A password is set. Tell it to them yourself; it is not in the link.'
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
      {rule.password ? (
        <div>
          <Button onClick={() => set('')}>Remove the password</Button>
        </div>
      ) : null}
    </form>
  );
}

function Close({ send }: { send: SendController }) {
  const [asking, setAsking] = useState(false);
  return (
    <div>
      <Button variant="danger" data-testid="close-room" onClick={() => setAsking(true)}>
        End this link
      </Button>
      <Dialog open={asking} title="End this link?" onClose={() => setAsking(false)}>
        <p>Nobody can come any more, and this page sends nothing more. What receivers have, they keep.</p>
        <div class="row">
          <Button
            variant="danger"
            data-testid="close-room-confirm"
            onClick={() => {
              setAsking(false);
              send.close();
            }}
          >
            End it
          </Button>
          <Button onClick={() => setAsking(false)}>Keep it</Button>
        </div>
      </Dialog>
    </div>
  );
}
