// The page that receives files: what there is, how it comes, and how it is saved.

import { useState } from 'preact/hooks';
import { CheckWords } from '../ui/check-words';
import { Button, Field } from '../ui/controls';
import { bytes, clock, count } from '../ui/format';
import { DownloadIcon, PauseIcon, PlayIcon } from '../ui/icons';
import { Announcer, Notice, Page, Top } from '../ui/layout';
import { CopyButton } from '../ui/link';
import { Progress } from '../ui/progress';
import { lacking } from '../ui/secure';
import type { ReceiveController } from './controller';
import { FileList } from './files';
import { canSaveFolders } from './save';
import { Screen } from './screen';
import { type State, secondsLeft, wantedBytes } from './state';
import { endWords, fromWords, linkWords, RELAYED, roomWords, STRANGER, stallWords, type Words } from './words';

export function Receive({ receive }: { receive: ReceiveController }) {
  const state = receive.state.value;
  const lack = lacking();
  return (
    <>
      <Top />
      <Page narrow>
        <div class="receiving stack" data-testid="state" data-phase={state.phase}>
          {lack ? (
            <Notice tone="bad" title={lack.title}>
              {lack.advice}
            </Notice>
          ) : (
            <Body receive={receive} />
          )}
        </div>
      </Page>
    </>
  );
}

function Body({ receive }: { receive: ReceiveController }) {
  const state = receive.state.value;
  switch (state.phase) {
    case 'bad-link':
      return <Said words={linkWords(state.fault ?? 'damaged')} />;
    case 'ended':
      return <Said words={state.end ? endWords(state.end) : roomWords(state.connection)} />;
    case 'password':
      return <Password receive={receive} />;
    case 'meeting':
    case 'waits':
      return <Meeting state={state} />;
    default:
      return <Offered receive={receive} />;
  }
}

/** Something that ends here, in words. */
function Said({ words: { title, advice } }: { words: Words }) {
  return (
    <section class="card stack over" role="alert" data-testid="words">
      <h1>{title}</h1>
      <p class="quiet">{advice}</p>
    </section>
  );
}

function Meeting({ state }: { state: State }) {
  if (state.stranger) return <Said words={STRANGER} />;
  const stall = state.status?.stall;
  const text =
    state.phase === 'waits'
      ? 'The sender has to let you in first. This page waits.'
      : stall
        ? stallWords(stall)
        : 'Looking for the sender …';
  return (
    <section class="card stack over" role="status" data-testid="words">
      <h1>Somebody wants to give you files</h1>
      <p class="row quiet">
        <span class="spinner" aria-hidden="true" /> {text}
      </p>
      {state.phase === 'waits' ? <Check state={state} open /> : null}
    </section>
  );
}

function Check({ state: { words }, open }: { state: State; open: boolean }) {
  return (
    <CheckWords words={words} open={open}>
      The sender sees the same words beside this browser, when nobody stands between you.
    </CheckWords>
  );
}

function Password({ receive }: { receive: ReceiveController }) {
  const [text, setText] = useState('');
  const { wrongPassword } = receive.state.value;
  return (
    <form
      class="card stack over"
      onSubmit={(event) => {
        event.preventDefault();
        if (text) receive.password(text);
      }}
    >
      <h1>These files have a password</h1>
      <Field
        label="Password"
        hint="The sender knows it."
        error={wrongPassword ? 'That is not the right one.' : undefined}
      >
        {(props) => (
          <input
            {...props}
            class="input"
            type="password"
            autocomplete="off"
            value={text}
            data-testid="password"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <div>
        <Button variant="primary" large submit disabled={text === ''} data-testid="password-send">
          Go on
        </Button>
      </div>
    </form>
  );
}

function Offered({ receive }: { receive: ReceiveController }) {
  const state = receive.state.value;
  const { manifest, phase, problem } = state;
  const text = manifest?.text ?? '';
  const files = manifest?.files.length ?? 0;
  return (
    <>
      <h1>{titleOf(state)}</h1>
      {problem ? <Notice tone="bad" title={problem} /> : null}
      {files === 0 && phase === 'offered' ? <ShowText receive={receive} /> : text ? <TextCard text={text} /> : null}
      {files > 0 ? (
        <section class="card stack" aria-label="Files">
          {phase === 'offered' ? <Accept receive={receive} /> : <Going receive={receive} />}
          <Screen receive={receive} />
          <FileList receive={receive} />
        </section>
      ) : null}
      {files > 0 ? (
        <p class="quiet small">
          The files come straight from the sender and from others who have them, sealed on the way. Every part is
          checked before it is kept.
        </p>
      ) : null}
      <Check state={state} open={false} />
    </>
  );
}

function titleOf({ manifest, phase }: State): string {
  const files = manifest?.files ?? [];
  if (files.length === 0) return 'A text for you';
  if (phase === 'done') return 'Everything is here';
  const [only] = files;
  return files.length === 1 && only ? only.path.replace(/\/$/u, '') : `${count(files.length, 'file', 'files')} for you`;
}

/** A text alone is taken by being shown: what only looks at the link, as chats do, must not take it. */
function ShowText({ receive }: { receive: ReceiveController }) {
  return (
    <section class="card stack" aria-label="Text">
      <div>
        <Button variant="primary" large data-testid="get" onClick={() => void receive.accept()}>
          Show the text
        </Button>
      </div>
      <p class="quiet small">The sender sees that you have read it.</p>
    </section>
  );
}

function TextCard({ text }: { text: string }) {
  return (
    <section class="card stack" aria-label="Text">
      <pre class="text">{text}</pre>
      <textarea class="said" readOnly tabIndex={-1} aria-hidden="true" value={text} data-testid="text" />
      <div>
        <CopyButton text={text} field="text" />
      </div>
    </section>
  );
}

function Accept({ receive }: { receive: ReceiveController }) {
  const state = receive.state.value;
  const { wanted, again, opening } = state;
  if (again) return <Again receive={receive} />;
  return (
    <div class="stack">
      <div class="row">
        <Button
          variant="primary"
          large
          icon={<DownloadIcon />}
          disabled={wanted.size === 0}
          busy={opening}
          data-testid="get"
          onClick={() => void receive.accept()}
        >
          Get {wanted.size === state.manifest?.files.length ? 'all' : count(wanted.size, 'file', 'files')},{' '}
          {bytes(wantedBytes(state))}
        </Button>
      </div>
      <p role="status" class="quiet small" data-testid="opening">
        {opening
          ? 'Making room. If the browser asks where to keep the files, it begins with your answer.'
          : 'Nothing comes before you press this.'}
      </p>
    </div>
  );
}

/** What was begun before a reload lies in a place of the person's, which wants a click. */
function Again({ receive }: { receive: ReceiveController }) {
  const { opening } = receive.state.value;
  return (
    <div class="stack">
      <p>A part of it is here already. The browser asks once more whether this page may write there.</p>
      <div class="row">
        <Button
          variant="primary"
          large
          icon={<PlayIcon />}
          busy={opening}
          data-testid="get"
          onClick={() => void receive.accept()}
        >
          Go on
        </Button>
        <Button variant="ghost" onClick={() => receive.anew()}>
          Begin anew
        </Button>
      </div>
    </div>
  );
}

function Going({ receive }: { receive: ReceiveController }) {
  const state = receive.state.value;
  const { status, phase, paused } = state;
  const total = status?.total ?? 0;
  const held = phase === 'done' ? total : (status?.held ?? 0);
  const share = total > 0 ? held / total : phase === 'done' ? 1 : 0;
  const going = phase === 'fetching';
  return (
    <div class="stack going">
      <div data-testid="progress" data-value={Math.floor(share * 100)} data-held={held}>
        <Progress share={share} label="Received and checked" />
      </div>
      <p class="figure figures-line" data-testid="figures">
        {going ? figures(state, held, total) : `${bytes(total)}, all checked.`}
      </p>
      <Announcer text={going ? (status?.stall && stallWords(status.stall)) || '' : 'Everything is here.'} />
      {going && status?.stall ? (
        <div data-testid="stall" data-stall={status.stall}>
          <Notice title={stallWords(status.stall)} />
        </div>
      ) : null}
      {going && status?.peers.some((peer) => peer.relayed) ? (
        <p class="quiet small" data-testid="relayed">
          {RELAYED}
        </p>
      ) : null}
      {going ? (
        <div>
          <Button
            icon={paused ? <PlayIcon size={18} /> : <PauseIcon size={18} />}
            data-testid="pause"
            onClick={() => receive.pause(!paused)}
          >
            {paused ? 'Go on' : 'Pause'}
          </Button>
        </div>
      ) : (
        <Save receive={receive} />
      )}
    </div>
  );
}

function figures(state: State, held: number, total: number): string {
  const left = secondsLeft(state);
  const parts = [`${bytes(held)} of ${bytes(total)}`];
  if (state.rate > 0) parts.push(`${bytes(state.rate)}/s`);
  if (left !== undefined) parts.push(`${clock(left)} left`);
  parts.push(fromWords(state.status?.peers ?? []));
  return parts.join(', ');
}

function Save({ receive }: { receive: ReceiveController }) {
  const { wanted, saved, saving, manifest, placed } = receive.state.value;
  if (placed) return <p data-testid="placed">It lies where you wanted it.</p>;
  const [only] = wanted;
  const all = [...wanted].every((file) => saved.has(file));
  const single = wanted.size === 1 && only !== undefined && !manifest?.files[only]?.path.includes('/');
  return (
    <div class="stack">
      <div class="row">
        {single ? (
          <Button variant="primary" large icon={<DownloadIcon />} data-testid="save" onClick={() => receive.save(only)}>
            Save the file
          </Button>
        ) : canSaveFolders() ? (
          <Button
            variant="primary"
            large
            icon={<DownloadIcon />}
            busy={saving}
            data-testid="save-folder"
            onClick={() => void receive.saveFolder()}
          >
            Save into a folder
          </Button>
        ) : (
          <Button
            variant="primary"
            large
            icon={<DownloadIcon />}
            data-testid="save-each"
            onClick={() => {
              for (const file of wanted) receive.save(file);
            }}
          >
            Save all files
          </Button>
        )}
        {all ? <span class="quiet">Saved.</span> : null}
      </div>
      {single || canSaveFolders() ? null : (
        <p class="quiet small">
          This browser saves the files one by one, without their folders. It may ask whether it may.
        </p>
      )}
      <p class="quiet small">While this page is open it passes the files on to others who are still receiving.</p>
    </div>
  );
}
