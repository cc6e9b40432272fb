// Choosing the stream's name in the link, before anybody watches.

import { useEffect, useState } from 'preact/hooks';
import { MAX_NAME } from '../signal/msg.gen';
import { Button, Field } from '../ui/controls';
import type { StudioController } from './controller';
import { canName, nameFault } from './name';

export function NameField({ studio }: { studio: StudioController }) {
  const state = studio.state.value;
  const { name, live, resume } = state;
  const [text, setText] = useState(name.chosen);
  const [asked, setAsked] = useState(false);
  // A new link, or a name that the server gave up on, is shown as it is.
  useEffect(() => setText(name.chosen), [name.chosen]);
  if (live || resume) return null;
  const fault = nameFault(text.trim());
  const problem = asked ? name.problem : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(true);
        studio.feed({ kind: 'name', text });
      }}
    >
      <Field
        label="Name in the link"
        hint="Choose one, or leave it empty for a link that nobody can guess. A link that you gave away before stops working."
        error={fault ?? problem}
      >
        {(props) => (
          <div class="joined">
            <input
              {...props}
              class="input"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              maxLength={MAX_NAME + 1}
              placeholder="such as friday-show"
              value={text}
              data-testid="name"
              onInput={(event) => {
                setAsked(false);
                setText(event.currentTarget.value);
              }}
            />
            <Button
              submit
              busy={name.asking !== undefined}
              disabled={fault !== undefined || text.trim() === name.chosen || !canName(state)}
              data-testid="name-save"
            >
              Set
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}
