// Whoever was read out a short code types it in here, and gets to the files.

import { useState } from 'preact/hooks';
import { CodeError, parseCode } from '../mesh/code';
import { formatLink } from '../mesh/link';
import { RedeemError, type RedeemFault, redeem } from '../mesh/peer/codes';
import { wordsFor } from '../signal/words';
import { Button, Field } from '../ui/controls';

export function CodeForm() {
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      window.location.assign(formatLink(await redeem(parseCode(text))));
    } catch (cause) {
      setError(wordsOf(cause));
    }
    setBusy(false);
  };
  return (
    <form
      class="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field label="You were given a code?" hint="A number and three words, like 7-acorn-piano-zebra." error={error}>
        {(props) => (
          <div class="joined">
            <input
              {...props}
              class="input"
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              value={text}
              data-testid="code-input"
              onInput={(event) => {
                setText(event.currentTarget.value);
                setError(undefined);
              }}
            />
            <Button submit busy={busy} disabled={text.trim() === ''} data-testid="code-open">
              Receive
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}

function wordsOf(cause: unknown): string {
  if (cause instanceof CodeError) {
    if (cause.nearest) return `No code has the word “${cause.word}”. Did they say “${cause.nearest}”?`;
    return cause.word ? `No code has the word “${cause.word}”.` : 'A code is a number and three words.';
  }
  return cause instanceof RedeemError ? faultWords(cause.fault) : 'That did not work. Try again in a moment.';
}

function faultWords(fault: RedeemFault): string {
  switch (fault) {
    case 'wrong':
      return 'The code is wrong, or somebody stands between you and the sender. Ask for a new one.';
    case 'spent':
      return 'This code is used up. Ask the sender for a new one.';
    case 'busy':
      return 'Others are trying this code at the moment. Wait a little, then try again.';
    case 'away':
    case 'not-found':
      return 'Nobody is sharing under this code. It may have had its time; ask for a new one.';
    case 'protocol':
      return 'The sender’s answer was not understood. Ask for the link.';
    case 'password':
      return 'The code is wrong. Ask the sender to read it out again.';
    default:
      return wordsFor(fault);
  }
}
