// Who is watching, and the way to show somebody the door.

import { useState } from 'preact/hooks';
import type { Peer } from '../signal/msg.gen';
import { Button, IconButton } from '../ui/controls';
import { Fold } from '../ui/fold';
import { PersonOffIcon } from '../ui/icons';
import { Dialog } from '../ui/layout';
import type { StudioController } from './controller';
import { getsWords } from './gets';

export function ViewersCard({ studio }: { studio: StudioController }) {
  const [asked, setAsked] = useState<Peer>();
  const { roster, viewers } = studio.state.value;
  const people = roster.filter((p) => p.role === 'subscriber');
  const remove = (peer: Peer): void => {
    setAsked(undefined);
    studio.feed({ kind: 'command', message: { type: 'remove', endpoint: peer.endpoint } });
  };
  return (
    <Fold title="Viewers" note={viewers === 0 ? 'Nobody yet' : `${viewers} watching`}>
      {people.length === 0 ? <p class="quiet small">Nobody has opened the link yet.</p> : null}
      <ul class="people">
        {people.map((peer, i) => (
          <li key={peer.endpoint} data-testid="viewer" data-endpoint={peer.endpoint}>
            <span>
              Viewer {i + 1} <span class="quiet small">since {timeOf(peer.since)}</span>
            </span>
            <span class="quiet small" data-testid="viewer-gets">
              {getsWords(peer)}
            </span>
            <IconButton label={`Remove viewer ${i + 1}`} data-testid="viewer-remove" onClick={() => setAsked(peer)}>
              <PersonOffIcon size={20} />
            </IconButton>
          </li>
        ))}
      </ul>
      <Dialog open={asked !== undefined} title="Remove this viewer?" onClose={() => setAsked(undefined)}>
        <p>They stop seeing the stream at once and cannot come back to it with the same browser.</p>
        <div class="row">
          <Button variant="danger" data-testid="viewer-remove-confirm" onClick={() => asked && remove(asked)}>
            Remove
          </Button>
          <Button onClick={() => setAsked(undefined)}>Cancel</Button>
        </div>
      </Dialog>
    </Fold>
  );
}

function timeOf(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
