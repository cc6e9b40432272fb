// The sending page without its looks: makes the room and its link, and tells the page's state what
// happens.

import { signal } from '@preact/signals';
import { keyHash, random } from '../mesh/keys';
import { formatLink, KEY_HASH, SECRET } from '../mesh/link';
import { PathError } from '../mesh/path';
import type { Rule } from '../mesh/peer/door';
import { newIdentity } from '../mesh/peer/identity';
import { Peer } from '../mesh/peer/swarm';
import { newSigningKeys, pointOf } from '../mesh/sign';
import { type Keeps, keepKey, keeps, takeKey } from '../signal/key';
import { newViewerId } from '../signal/viewer-id';
import { type Chosen, collect } from './collect';
import { type Event, initial, isSafe, step } from './state';

/** How long a link works, in seconds. */
export const DAY = 86_400;
const LOOK_EVERY = 500;

export class SendController {
  readonly state = signal(initial);
  private readonly keeps: Keeps = keeps();
  private key: string | undefined;
  private remember = false;
  private peer: Peer | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;

  start(): void {
    this.key = takeKey(window.location, window.history, this.keeps);
    window.addEventListener('beforeunload', (event) => {
      const { phase } = this.state.value;
      if (phase === 'open' && !isSafe(this.state.value)) event.preventDefault();
    });
  }

  private readonly feed = (event: Event): void => {
    this.state.value = step(this.state.value, event);
  };

  /** Shares files, a text, or both: the link is there at once. */
  async share(chosen: readonly Chosen[], text: string): Promise<void> {
    if (this.peer) return;
    const { entries, files, leftOut } = collect(chosen);
    if (entries.length === 0 && text === '') {
      if (chosen.length > 0) this.feed({ kind: 'problem', text: 'Nothing of that can be shared.' });
      return;
    }
    try {
      const keys = await newSigningKeys();
      const key = await keyHash(await pointOf(keys.publicKey));
      const link = { server: window.location.origin, room: newViewerId(), secret: random(SECRET), key };
      if (key.length !== KEY_HASH) throw new RangeError('a key hash of another length');
      this.feed({ kind: 'chosen', entries, leftOut, text, link: formatLink(link) });
      this.peer = await Peer.make({
        link,
        identity: await newIdentity(),
        share: {
          keys,
          owner: this.key ?? newViewerId(),
          manifest: { files: entries, created: Math.floor(Date.now() / 1000), text },
          files,
          rule: this.state.value.rule,
          expires: Date.now() + DAY * 1000,
        },
        tell: (event) => {
          this.feed({ kind: 'mesh', event });
          if (event.kind === 'opened') this.opened();
          if (event.kind === 'ended') this.halt();
        },
      });
      this.peer.start();
      this.looking = setInterval(() => this.look(), LOOK_EVERY);
    } catch (error) {
      this.halt();
      this.feed({ kind: 'closed' });
      this.feed({ kind: 'problem', text: wordsFor(error) });
    }
  }

  /** Another key for the server. */
  useKey(key: string, remember: boolean): void {
    this.key = key;
    this.remember = remember;
    this.feed({ kind: 'key' });
    this.peer?.identify({ token: key });
  }

  decide(key: string, yes: boolean): void {
    this.peer?.decide(key, yes);
    this.feed({ kind: 'decided', key, yes });
  }

  remove(key: string): void {
    void this.peer?.remove(key);
    this.feed({ kind: 'removed', key });
  }

  setRule(rule: Rule): void {
    this.peer?.rule(rule);
    this.feed({ kind: 'rule', rule });
  }

  newCode(): void {
    this.peer?.newCode();
  }

  /** Ends the link for everybody who does not have everything. */
  close(): void {
    this.peer?.close();
    this.halt();
    this.feed({ kind: 'closed' });
  }

  private opened(): void {
    if (this.key) keepKey(this.key, this.remember, this.keeps);
    if (!this.state.value.code) this.peer?.newCode();
  }

  private look(): void {
    if (this.peer) this.feed({ kind: 'status', status: this.peer.status() });
  }

  private halt(): void {
    clearInterval(this.looking);
    this.peer?.stop();
    this.peer = undefined;
  }
}

function wordsFor(error: unknown): string {
  if (error instanceof PathError) return 'Two of the names do not go together. Share them one after the other.';
  return 'This browser could not prepare the files.';
}
