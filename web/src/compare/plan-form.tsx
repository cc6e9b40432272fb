// What is to be compared.

import { Button, Field } from '../ui/controls';
import { count } from '../ui/format';
import type { CompareController } from './controller';
import {
  type Abilities,
  encodes,
  MOST_VIEWERS,
  objection,
  type Plan,
  SECONDS,
  SIZES,
  WAYS,
  type Way,
  WORDS,
} from './plan';

export function PlanForm({ compare }: { compare: CompareController }) {
  const plan = compare.plan.value;
  const against = objection(plan, abilities());
  return (
    <form
      class="card stack"
      data-testid="plan"
      onSubmit={(event) => {
        event.preventDefault();
        compare.start();
      }}
    >
      <Picture plan={plan} change={(change) => compare.change(change)} />
      <fieldset class="stack">
        <legend>Ways</legend>
        {WAYS.map((way) => (
          <WayChoice key={way} way={way} plan={plan} change={(change) => compare.change(change)} />
        ))}
      </fieldset>
      <div class="numbers">
        <Choice
          label="Viewers of each way"
          testid="viewers"
          value={plan.viewers}
          options={Array.from({ length: MOST_VIEWERS }, (_, i) => [i + 1, String(i + 1)])}
          onChoose={(viewers) => compare.change({ viewers })}
        />
        <Choice
          label="Measured for"
          testid="seconds"
          value={plan.seconds}
          options={SECONDS.map((s) => [s, `${s} seconds`])}
          onChoose={(seconds) => compare.change({ seconds })}
        />
      </div>
      <p class="quiet small">
        {against ??
          `This page will encode the picture ${count(encodes(plan), 'time', 'times')} at once, and decode it ${count(plan.ways.length * plan.viewers, 'time', 'times')}. A machine that cannot keep up makes the result invalid; the page says so.`}
      </p>
      <div class="row">
        <Button variant="primary" large submit disabled={against !== undefined} data-testid="start">
          Compare
        </Button>
      </div>
    </form>
  );
}

function abilities(): Abilities {
  return {
    webrtc: typeof RTCPeerConnection === 'function',
    pictures: 'requestVideoFrameCallback' in HTMLVideoElement.prototype,
    records: typeof MediaRecorder === 'function',
  };
}

type Change = (change: Partial<Plan>) => void;

function Picture({ plan, change }: { plan: Plan; change: Change }) {
  return (
    <fieldset class="stack">
      <legend>Picture</legend>
      <label class="choice">
        <input
          type="radio"
          name="source"
          checked={!plan.file}
          data-testid="source-test"
          onChange={() => change({ file: undefined })}
        />
        <span>A test picture</span>
      </label>
      {plan.file ? null : (
        <Choice
          label="Its size"
          testid="size"
          value={plan.size}
          options={SIZES.map((s, i) => [i, s.name])}
          onChoose={(size) => change({ size })}
        />
      )}
      <Field label="Or a file, which is played in a loop" hint={plan.file?.name}>
        {(props) => (
          <input
            {...props}
            class="input"
            type="file"
            accept="video/*"
            data-testid="file-input"
            onChange={(event) => change({ file: event.currentTarget.files?.[0] })}
          />
        )}
      </Field>
    </fieldset>
  );
}

function WayChoice({ way, plan, change }: { way: Way; plan: Plan; change: Change }) {
  const chosen = plan.ways.includes(way);
  const toggled = WAYS.filter((w) => (w === way ? !chosen : plan.ways.includes(w)));
  return (
    <label class="choice">
      <input type="checkbox" checked={chosen} data-testid={`way-${way}`} onChange={() => change({ ways: toggled })} />
      <span>
        {WORDS[way].title}
        <span class="quiet small">{WORDS[way].text}</span>
      </span>
    </label>
  );
}

function Choice({
  label,
  testid,
  value,
  options,
  onChoose,
}: {
  label: string;
  testid: string;
  value: number;
  options: readonly (readonly [value: number, words: string])[];
  onChoose(value: number): void;
}) {
  return (
    <Field label={label}>
      {(props) => (
        <select
          {...props}
          class="select"
          value={value}
          data-testid={testid}
          onChange={(event) => onChoose(Number(event.currentTarget.value))}
        >
          {options.map(([v, words]) => (
            <option key={v} value={v}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
