// The state in words, and the one large button.

import { wordsFor } from '../signal/words';
import { Button, Field } from '../ui/controls';
import { count } from '../ui/format';
import { LiveIcon, StopIcon, ViewersIcon } from '../ui/icons';
import { Announcer, Notice } from '../ui/layout';
import type { StudioController } from './controller';
import { canGoLive, defaultTitle, isReady, owesStop, wordsOf } from './select';

const DOTS: Record<string, string> = {
  live: 'live',
  seeking: 'live',
  paused: 'live',
  connecting: 'warn',
  reconnecting: 'warn',
  recoding: 'live',
  returning: 'warn',
  unreachable: 'bad',
  blocked: 'bad',
  refused: 'bad',
  replaced: 'warn',
};

export function OnAir({ studio }: { studio: StudioController }) {
  const state = studio.state.value;
  const phase = studio.phase.value;
  const words = wordsOf(state);
  return (
    <section class="card on-air" aria-label="State">
      <Announcer text={`${words.title}. ${words.detail}`} />
      <div class="state" data-testid="state" data-state={phase}>
        <span class={`dot ${DOTS[phase] ?? ''}`} aria-hidden="true" />
        <div>
          <h2>{words.title}</h2>
          <p class="quiet small">{words.detail}</p>
        </div>
      </div>
      <Press studio={studio} />
      <ServerLink studio={studio} />
      <p class="viewer-count" data-testid="viewers" data-count={state.viewers}>
        <ViewersIcon size={20} />
        <span class="figure">{count(state.viewers, 'viewer', 'viewers')}</span>
      </p>
      <Field label="Title" hint="Viewers read it under the picture.">
        {(props) => (
          <input
            {...props}
            class="input"
            maxLength={120}
            value={state.title}
            placeholder={defaultTitle(state) || 'What do you show?'}
            data-testid="title"
            onInput={(event) => studio.feed({ kind: 'title', text: event.currentTarget.value })}
          />
        )}
      </Field>
    </section>
  );
}

function Press({ studio }: { studio: StudioController }) {
  const state = studio.state.value;
  const phase = studio.phase.value;
  if (phase === 'replaced') {
    return (
      <Button
        variant="primary"
        large
        disabled={!isReady(state)}
        data-testid="take-back"
        onClick={() => studio.feed({ kind: 'takeBack' })}
      >
        Go on from this page
      </Button>
    );
  }
  if (state.live) {
    return (
      <Button
        variant="danger"
        large
        icon={<StopIcon />}
        data-testid="stop"
        onClick={() => studio.feed({ kind: 'stop' })}
      >
        Stop the stream
      </Button>
    );
  }
  return (
    <Button
      variant="primary"
      large
      icon={<LiveIcon />}
      disabled={!canGoLive(state)}
      data-testid="go-live"
      onClick={() => studio.feed({ kind: 'goLive' })}
    >
      {phase === 'ended' ? 'Go live again' : 'Go live'}
    </Button>
  );
}

/** The signalling connection is only worth a word when it is away and nothing else says so. */
function ServerLink({ studio }: { studio: StudioController }) {
  const { link, live, path } = studio.state.value;
  if (owesStop(studio.state.value)) {
    return (
      <Notice tone="warn" title="The server has not heard yet that you stopped.">
        Viewers read “back in a moment” until it has. Leave this page open: it tells the server as soon as it answers.
      </Notice>
    );
  }
  const away = link.phase === 'waiting' && (!live || path === 'connected');
  if (!away) return null;
  const { code } = link;
  const title = code === 'network' || code === 'shutdown' ? 'The server does not answer.' : wordsFor(code);
  return (
    <Notice tone="warn" title={title}>
      {code === 'shutdown' ? 'It is being restarted. ' : ''}This page tries again by itself.
    </Notice>
  );
}
