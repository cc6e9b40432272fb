// Who is receiving: how far each has come, how fast, and by which way.

import { useState } from 'preact/hooks';
import type { PeerStatus } from '../mesh/peer/config';
import { CheckWords } from '../ui/check-words';
import { Badge, Button, IconButton } from '../ui/controls';
import { bytes, count } from '../ui/format';
import { PersonOffIcon } from '../ui/icons';
import { Dialog } from '../ui/layout';
import { More } from '../ui/more';
import { Progress } from '../ui/progress';
import type { SendController } from './controller';
import type { Receiver } from './state';

/** So many are listed before somebody wants to see more. */
const LISTED = 64;
const ORDER: readonly Receiver['phase'][] = ['waits', 'here', 'coming', 'away', 'back', 'gone', 'removed'];

export function Receivers({ send }: { send: SendController }) {
  const { receivers, status, phase } = send.state.value;
  // Who needs the person's word comes first, then who is here.
  const shown = receivers
    .filter((r) => r.phase !== 'removed')
    .sort((a, b) => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase));
  return (
    <section
      class="card"
      aria-labelledby="receivers-title"
      data-testid="receivers"
      data-count={shown.length}
      data-sent={status?.sent ?? 0}
    >
      <div class="row head">
        <h2 id="receivers-title">Receivers</h2>
        {status && status.up > 0 ? <span class="quiet figure">{bytes(status.up)}/s going out</span> : null}
      </div>
      {shown.length === 0 ? (
        <p class="quiet">
          {phase === 'open' ? 'Nobody yet. Pass the link on; whoever opens it appears here.' : 'Opening the link …'}
        </p>
      ) : (
        <More total={shown.length} step={LISTED}>
          {(most) => (
            <ul class="people">
              {shown.slice(0, most).map((receiver) => (
                <Row key={receiver.key} send={send} receiver={receiver} />
              ))}
            </ul>
          )}
        </More>
      )}
      {status && status.sent > 0 ? (
        <p class="quiet small figure">{bytes(status.sent)} have gone out from here.</p>
      ) : null}
    </section>
  );
}

function Row({ send, receiver }: { send: SendController; receiver: Receiver }) {
  const { key, phase, peer, complete } = receiver;
  const name = receiver.name || 'Somebody';
  const pieces = send.state.value.status?.pieces ?? 0;
  const share = complete ? 1 : pieces > 0 ? (peer?.held ?? 0) / pieces : 0;
  return (
    <li tabIndex={-1} data-testid="receiver" data-phase={complete ? 'complete' : phase} data-key={key}>
      <div class="row">
        <b class="name">{name}</b>
        {complete ? <Badge tone="good">Has everything</Badge> : null}
        {peer?.relayed ? <Badge tone="warn">Relayed</Badge> : peer ? <Badge>Direct</Badge> : null}
        <span class="end">
          {phase === 'waits' ? (
            <Decide send={send} receiver={key} name={name} />
          ) : (
            <Remove send={send} id={key} name={name} />
          )}
        </span>
      </div>
      {phase === 'waits' ? null : <Progress share={share} label={`What ${name} has`} />}
      <p class="quiet small figure">{wordsFor(receiver, peer)}</p>
      <CheckWords words={receiver.words} open={phase === 'waits'}>
        {name} sees the same words, when nobody stands between you. To be sure, let them be read out to you.
      </CheckWords>
    </li>
  );
}

function wordsFor({ phase, complete }: Receiver, peer: PeerStatus | undefined): string {
  if (phase === 'waits') return 'Waits to be let in.';
  if (complete) return phase === 'gone' ? 'Has left with everything.' : 'Passes on to others.';
  if (phase === 'gone') return 'Has left before the end.';
  if (phase === 'back') return 'Was put back, as all places were taken; may come again when there is one.';
  if (phase === 'away') return 'Was here before; not back yet.';
  if (phase === 'coming' || !peer) return 'Is connecting …';
  switch (peer.state) {
    case 'paused':
      return 'Has paused.';
    case 'disk-full':
      return 'Has no room left.';
    case 'hidden':
      return 'Its tab is in the background, and slow.';
    case 'waiting':
      return peer.held === 0 ? 'Looks at what there is.' : 'Waits.';
    default:
      return `${bytes(peer.down)}/s`;
  }
}

function Decide({ send, receiver, name }: { send: SendController; receiver: string; name: string }) {
  return (
    <span class="row">
      <Button
        variant="primary"
        data-testid="let-in"
        aria-label={`Let ${name} in`}
        onClick={() => send.decide(receiver, true)}
      >
        Let in
      </Button>
      <Button data-testid="turn-away" aria-label={`Turn ${name} away`} onClick={() => send.decide(receiver, false)}>
        Turn away
      </Button>
    </span>
  );
}

function Remove({ send, id, name }: { send: SendController; id: string; name: string }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <IconButton label={`Remove ${name}`} data-testid="receiver-remove" onClick={() => setAsking(true)}>
        <PersonOffIcon size={20} />
      </IconButton>
      <Dialog open={asking} title={`Remove ${name}?`} onClose={() => setAsking(false)}>
        <p>It gets nothing more from anybody, and cannot come back with this link. What it has, it keeps.</p>
        <div class="row">
          <Button
            variant="danger"
            data-testid="receiver-remove-confirm"
            onClick={() => {
              setAsking(false);
              void send.remove(id);
            }}
          >
            Remove
          </Button>
          <Button onClick={() => setAsking(false)}>Cancel</Button>
        </div>
      </Dialog>
    </>
  );
}

/** "2 receivers". */
export const receiversWord = (n: number): string => count(n, 'receiver', 'receivers');
