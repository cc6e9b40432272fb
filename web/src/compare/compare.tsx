// The page: what is to be compared, how it goes, and what it says.

import { useEffect, useRef, useState } from 'preact/hooks';
import { keyInText } from '../signal/key';
import { Button, Field } from '../ui/controls';
import { Announcer, Notice, Page, Top } from '../ui/layout';
import type { CompareController, Phase } from './controller';
import { Outcome } from './outcome';
import { PlanForm } from './plan-form';
import { PHASE_WORDS, Running } from './running';

export function Compare({ compare }: { compare: CompareController }) {
  const phase = compare.phase.value;
  useFirstWords(phase);
  return (
    <>
      <Top />
      <Announcer text={phase === 'running' ? PHASE_WORDS[compare.progress.value.phase] : SPOKEN[phase]} />
      <Page>
        {phase === 'key' ? <KeyForm compare={compare} /> : null}
        {phase === 'planning' ? <Planning compare={compare} /> : null}
        {phase === 'running' ? <Running compare={compare} /> : null}
        {phase === 'done' ? <Outcome compare={compare} /> : null}
      </Page>
    </>
  );
}

const SPOKEN = { planning: '', key: '', done: 'It is done. The result is here.' } as const;

/** Where one view takes the place of another, what was pressed is gone: the keyboard goes on at the first words. */
function useFirstWords(phase: Phase): void {
  const last = useRef(phase);
  useEffect(() => {
    if (phase === last.current) return;
    last.current = phase;
    document.querySelector<HTMLElement>('main h1')?.focus();
  }, [phase]);
}

function Planning({ compare }: { compare: CompareController }) {
  return (
    <div class="stack compare">
      <header class="stack">
        <h1 tabIndex={-1}>How long does the picture take?</h1>
        <p class="quiet">
          This page sends a picture on several ways at once and receives it again, as viewers do. It tells how long the
          same picture takes on each way, by a time that is drawn into it.
        </p>
      </header>
      {compare.problem.value ? (
        <Notice tone="bad" title="It could not begin.">
          {compare.problem.value}
        </Notice>
      ) : null}
      <PlanForm compare={compare} />
    </div>
  );
}

function KeyForm({ compare }: { compare: CompareController }) {
  const [text, setText] = useState('');
  return (
    <form
      class="card stack key"
      data-testid="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        const key = keyInText(text);
        if (key) compare.useKey(key);
      }}
    >
      <h1 tabIndex={-1}>The key of this server</h1>
      <p class="quiet">
        Whoever compares also publishes. Fanfare printed the key when it was started for the first time, in an address
        that ends in <code>/studio#key=…</code>. Paste the key, or that address.
      </p>
      <Field
        label="Key, or the whole address"
        error={compare.keyWrong.value ? 'That is not the key of this server.' : undefined}
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
      <div class="row">
        <Button variant="primary" large submit disabled={text.trim() === ''} data-testid="key-open">
          Compare
        </Button>
        <Button variant="ghost" onClick={() => compare.again()}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
