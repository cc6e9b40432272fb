// The page that sends files: choose, pass the link on, watch who gets what.

import { bytes, count } from '../ui/format';
import { CheckIcon } from '../ui/icons';
import { Announcer, Notice, Page, Top } from '../ui/layout';
import { Choose, DropVeil } from './choose';
import type { SendController } from './controller';
import { KeyForm } from './key-form';
import { leftOutWords } from './left-out';
import { Receivers } from './receivers';
import { Rules } from './rules';
import { ShareLink } from './share';
import { isSafe, type State } from './state';

export function Send({ send }: { send: SendController }) {
  const state = send.state.value;
  return (
    <>
      <Top />
      <div class="drop-zone" data-testid="state" data-phase={state.phase}>
        {state.phase === 'empty' ? <Choose send={send} /> : null}
        {state.phase === 'key' ? <KeyForm send={send} /> : null}
        {state.phase === 'opening' || state.phase === 'open' ? <Sharing send={send} /> : null}
        {state.phase === 'ended' ? <Ended send={send} /> : null}
      </div>
      <DropVeil send={send} />
    </>
  );
}

function Sharing({ send }: { send: SendController }) {
  const state = send.state.value;
  return (
    <Page>
      <div class="sending">
        <div class="stack">
          <header class="stack heading">
            <h1>{titleOf(state)}</h1>
            <p class="quiet">
              Keep this page open. The files go from here straight to the receivers, who pass on to each other what they
              have.
            </p>
          </header>
          <Safety state={state} />
          <Over state={state} />
          <Lost state={state} />
          <Untold state={state} />
          <LeftOutNote state={state} />
          {state.problem ? <Notice tone="bad" title={state.problem} /> : null}
          <Receivers send={send} />
          <Rules send={send} />
        </div>
        <ShareLink send={send} />
      </div>
    </Page>
  );
}

/** "film.mkv", "3 files, 12 MB", "A text". */
export function titleOf({ entries, text }: Pick<State, 'entries' | 'text'>): string {
  const files = entries.filter((entry) => !entry.path.endsWith('/'));
  const size = bytes(entries.reduce((sum, entry) => sum + entry.size, 0));
  const [only] = files;
  if (!only) return text === '' ? 'An empty folder' : 'A text';
  return files.length === 1 ? `${only.path}, ${size}` : `${count(files.length, 'file', 'files')}, ${size}`;
}

function Over({ state: { over } }: { state: State }) {
  if (!over) return null;
  return (
    <Notice tone="warn" title="The time of this link is over.">
      The server has closed it, and nobody else can come. Those who are connected get the rest as long as this page
      stays open.
    </Notice>
  );
}

/** The one thing that people want to know before they leave. */
function Safety({ state }: { state: State }) {
  const safe = isSafe(state);
  return (
    <>
      <Announcer text={safe ? 'It is safe to close this page.' : ''} />
      {safe ? (
        <div data-testid="safe">
          <Notice tone="good" title="Safe to close: the swarm has every piece.">
            Those who are still receiving get the rest from each other, as long as they stay. If you stay, others can
            still come.
          </Notice>
        </div>
      ) : null}
    </>
  );
}

function Lost({ state: { connection, status } }: { state: State }) {
  if (connection.phase !== 'waiting' || connection.attempt < 2) return null;
  const connected = (status?.peers.length ?? 0) > 0;
  return (
    <Notice tone="warn" title="The server does not answer.">
      {connected ? 'Receivers that are connected go on. Others cannot come until it is back. ' : ''}
      This page tries again by itself.
    </Notice>
  );
}

/** Who was put out gets nothing from here; what others give, nobody can see. */
function Untold({ state: { untold } }: { state: State }) {
  if (!untold) return null;
  return (
    <div data-testid="untold">
      <Notice
        tone="bad"
        title="The other receivers cannot be told of all whom you removed, or for whom there was no place."
      >
        Those get nothing more from here, but others may pass the files on to them. To be sure, end this link and share
        anew: whoever still receives begins again then.
      </Notice>
    </div>
  );
}

function LeftOutNote({ state: { leftOut } }: { state: State }) {
  if (leftOut.length === 0) return null;
  return (
    <div data-testid="left-out">
      <Notice tone="warn" title={`${count(leftOut.length, 'file was', 'files were')} left out.`}>
        {leftOutWords(leftOut).map((words) => (
          <p key={words}>{words}</p>
        ))}
      </Notice>
    </div>
  );
}

function Ended({ send }: { send: SendController }) {
  const { end, problem } = send.state.value;
  return (
    <Page narrow>
      <section class="card stack over">
        <h1>{end?.kind === 'changed' ? 'A file has changed.' : 'This link has ended.'}</h1>
        <p class="quiet">
          {end?.kind === 'changed'
            ? 'What is on the disk is no longer what was shared, so the transfer has stopped. Share it again as it is now.'
            : (problem ?? 'Nobody can come any more.')}
        </p>
        <div>
          <button type="button" class="button primary large" onClick={() => send.close()}>
            <CheckIcon size={18} />
            Share again
          </button>
        </div>
      </section>
    </Page>
  );
}
