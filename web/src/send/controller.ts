// The sending page without its looks: makes the room and its link, or takes one up again after a
// reload, and tells the page's state what happens.

import { signal } from '@preact/signals';
import { keyHash, random } from '../mesh/keys';
import { formatLink, SECRET } from '../mesh/link';
import type { Manifest } from '../mesh/manifest';
import { PathError } from '../mesh/path';
import type { Before, Event as MeshEvent } from '../mesh/peer/config';
import type { Rule } from '../mesh/peer/door';
import { newIdentity } from '../mesh/peer/identity';
import type { StoredPiece } from '../mesh/peer/journal';
import { SourceChanged } from '../mesh/peer/sink';
import { Peer } from '../mesh/peer/swarm';
import { newSigningKeys, pointOf } from '../mesh/sign';
import { noRevocations } from '../mesh/token';
import { type Keeps, keepKey, keeps, takeKey } from '../signal/key';
import { newViewerId } from '../signal/viewer-id';
import { lacking } from '../ui/secure';
import { isLack, type Lack, match } from './again';
import { type Chosen, collect } from './collect';
import { mayRead, ofHandles, type Picked } from './handles';
import { before, forget, hold, idle, type Kept, keep, keepRoots, keepTerms, keptRooms, type Terms } from './kept';
import { leftOutWords } from './left-out';
import { type Event, initial, isSafe, leadsNowhere, step } from './state';

/** How long a link works, in seconds. */
export const DAY = 86_400;
const LOOK_EVERY = 500;
/** After a reload the page before may seem to be there for a moment (ms). */
const LOOK_AGAIN = [0, 500, 2_000];

export class SendController {
  readonly state = signal(initial);
  private readonly keeps: Keeps = keeps();
  private key: string | undefined;
  private remember = false;
  private peer: Peer | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  /** What is shared now, and what could be again. */
  private now: Kept | undefined;
  private earlier: readonly Kept[] = [];
  /** What was chosen for one that needs its files again. */
  private again: { room: string; chosen: readonly Chosen[] } = { room: '', chosen: [] };
  /** Roots that are not written down, and whether the terms are not. */
  private roots: StoredPiece[] = [];
  private stale = false;

  start(): void {
    this.key = takeKey(window.location, window.history, this.keeps);
    window.addEventListener('beforeunload', (event) => {
      const { phase } = this.state.value;
      if (phase === 'open' && !isSafe(this.state.value)) event.preventDefault();
    });
    for (const after of LOOK_AGAIN) setTimeout(() => void this.lookBack(), after);
  }

  private readonly feed = (event: Event): void => {
    this.state.value = step(this.state.value, event);
    if (this.state.value.phase !== 'ended') return;
    if (leadsNowhere(this.state.value)) this.end();
    else this.halt();
  };

  /** Finds what was shared before a reload. */
  private async lookBack(): Promise<void> {
    if (this.now || lacking()) return;
    this.earlier = await idle(await keptRooms(Date.now()));
    const { earlier } = this.state.value;
    this.feed({
      kind: 'earlier',
      earlier: this.earlier.map(({ room, terms }) => ({
        room: room.name,
        entries: room.manifest.files,
        text: room.manifest.text,
        expires: terms.expires,
        guests: terms.guests.filter((guest) => guest.serial !== 0 && !guest.refused).length,
        ready: room.handles.length > 0 || room.manifest.files.every((file) => file.path.endsWith('/')),
        problem: earlier.find((one) => one.room === room.name)?.problem,
      })),
    });
  }

  /** Shares what the browser gives, unless it was nothing. It may refuse, too. */
  async take(giving: Promise<Picked | undefined>): Promise<void> {
    let picked: Picked | undefined;
    try {
      picked = await giving;
    } catch {
      this.feed({ kind: 'problem', text: UNREAD });
    }
    if (picked) await this.share(picked, '');
  }

  /** Shares files, a text, or both: the link is there at once. */
  async share({ chosen, handles }: Picked, text: string): Promise<void> {
    if (this.now) return;
    const { entries, files, leftOut } = collect(chosen);
    if (entries.length === 0 && text === '') {
      if (chosen.length > 0) {
        this.feed({ kind: 'problem', text: ['Nothing of that can be shared.', ...leftOutWords(leftOut)].join(' ') });
      }
      return;
    }
    try {
      const manifest = { files: entries, created: Math.floor(Date.now() / 1000), text };
      const kept = await this.newRoom(manifest, handles);
      if (this.now) return;
      this.now = kept;
      this.feed({ kind: 'chosen', entries, leftOut, text, link: formatLink(await this.link(kept)) });
      this.open(await this.make(kept, files, undefined));
      await hold(kept.room.name);
      await keep(kept);
    } catch (error) {
      this.halt();
      this.feed({ kind: 'closed' });
      this.feed({ kind: 'problem', text: wordsFor(error) });
    }
  }

  /**
   * Goes on with what was shared before a reload, under the same link. chosen: what the person has
   * chosen again, where the browser cannot find it by itself. Must follow a click.
   */
  async continue(room: string, chosen: readonly Chosen[] = []): Promise<void> {
    const kept = this.earlier.find((one) => one.room.name === room);
    if (!kept || this.now || this.state.value.continuing) return;
    this.feed({ kind: 'continuing', room });
    try {
      const files = await this.sameFiles(kept, chosen);
      const peer = await this.make(kept, files, await before(kept));
      if (!(await hold(room))) throw new CannotContinue('Another tab of this browser is sending it.');
      const { files: entries, text } = kept.room.manifest;
      this.now = kept;
      this.feed({ kind: 'chosen', entries, leftOut: [], text, link: formatLink(await this.link(kept)) });
      this.feed({ kind: 'continued', ...kept.terms });
      this.open(peer);
    } catch (error) {
      const problem = error instanceof CannotContinue ? error.message : wordsFor(error);
      this.feed({ kind: 'cannotContinue', room, problem });
    }
  }

  /** The files of before, by their handles or as they were chosen again. Throws CannotContinue. */
  private async sameFiles({ room }: Kept, chosen: readonly Chosen[]): Promise<ReadonlyMap<number, File>> {
    if (room.handles.length > 0 && chosen.length === 0) {
      if (!(await mayRead(room.handles))) throw new CannotContinue('The browser may not read the files again.');
      this.again = { room: room.name, chosen: await ofHandles(room.handles) };
    } else {
      const earlier = this.again.room === room.name ? this.again.chosen : [];
      this.again = { room: room.name, chosen: [...chosen, ...earlier] };
    }
    const found = match(room.manifest.files, this.again.chosen);
    if (isLack(found)) throw new CannotContinue(lackWords(found, chosen.length > 0));
    return found;
  }

  /** Forgets what was shared before: its link leads to nothing more. */
  async forget(room: string): Promise<void> {
    await forget(room);
    await this.lookBack();
  }

  private async newRoom(manifest: Manifest, handles: Picked['handles']): Promise<Kept> {
    const [keys, identity] = await Promise.all([newSigningKeys(), newIdentity()]);
    const owner = this.key ? '' : newViewerId();
    const { rule, rate } = this.state.value;
    const expires = Date.now() + DAY * 1000;
    return {
      room: { name: newViewerId(), secret: random(SECRET), keys, identity, owner, manifest, handles },
      terms: { rule, rate, expires, guests: [], revoked: noRevocations },
    };
  }

  private async link({ room }: Kept) {
    const key = await keyHash(await pointOf(room.keys.publicKey));
    return { server: window.location.origin, room: room.name, secret: room.secret, key };
  }

  private async make(kept: Kept, files: ReadonlyMap<number, File>, before: Before | undefined): Promise<Peer> {
    const { keys, owner, manifest, identity } = kept.room;
    const { rule, expires } = kept.terms;
    const share = { keys, owner: owner || (this.key ?? ''), manifest, files, rule, expires };
    return Peer.make({
      link: await this.link(kept),
      identity,
      share: before ? { ...share, before } : share,
      tell: (event) => this.heard(event),
    });
  }

  private open(peer: Peer): void {
    this.peer = peer;
    peer.limit(this.state.value.rate);
    peer.newCode();
    peer.start();
    this.looking = setInterval(() => this.look(), LOOK_EVERY);
  }

  private heard(event: MeshEvent): void {
    if (!this.peer) return; // the last words of one that has ended
    if (event.kind === 'signed') this.roots.push({ piece: event.piece, ...event.root });
    else if (event.kind === 'guests') this.stale = true;
    else this.feed({ kind: 'mesh', event });
    if (event.kind === 'opened') this.opened();
    if (event.kind === 'asked' || event.kind === 'admitted') void this.check(event.key);
  }

  /** Works out the words that show whether somebody stands between the two. */
  private async check(key: string): Promise<void> {
    this.feed({ kind: 'words', key, words: await this.peer?.words(key) });
  }

  /** Another key for the server. */
  useKey(key: string, remember: boolean): void {
    this.key = key;
    this.remember = remember;
    if (this.now) this.now.room.owner = '';
    this.feed({ kind: 'key' });
    this.peer?.identify({ token: key });
  }

  decide(key: string, yes: boolean): void {
    this.peer?.decide(key, yes);
    this.feed({ kind: 'decided', key, yes });
  }

  /** What the page shows of it is written down. */
  async remove(key: string): Promise<void> {
    const told = await this.peer?.remove(key);
    await this.note();
    this.feed({ kind: 'removed', key, told: told !== false });
  }

  setRule(rule: Rule): void {
    this.peer?.rule(rule);
    this.feed({ kind: 'rule', rule });
    this.stale = true;
  }

  /** Bytes a second; 0 for no limit. */
  setRate(rate: number): void {
    this.peer?.limit(rate);
    this.feed({ kind: 'rate', rate });
    this.stale = true;
  }

  /** The link works so many seconds from now on. */
  setLife(seconds: number): void {
    if (!this.now || !this.peer) return;
    this.now.terms.expires = Date.now() + seconds * 1000;
    void this.peer.expire(this.now.terms.expires);
    this.stale = true;
  }

  newCode(): void {
    this.peer?.newCode();
  }

  /** Ends the link for everybody who does not have everything. */
  close(): void {
    this.peer?.close();
    this.end();
    this.feed({ kind: 'closed' });
  }

  private opened(): void {
    if (this.key) keepKey(this.key, this.remember, this.keeps);
    // The key that the server took may be another one than the room was made with.
    if (this.now) void keep(this.now);
  }

  private look(): void {
    if (!this.peer) return;
    this.feed({ kind: 'status', status: this.peer.status() });
    void this.note();
  }

  /** Writes down what has changed. */
  private async note(): Promise<void> {
    const { now, peer, roots } = this;
    if (!now || !peer) return;
    const { name } = now.room;
    this.roots = [];
    if (roots.length > 0) await keepRoots(name, roots);
    if (!this.stale) return;
    this.stale = false;
    const { rule, rate } = this.state.value;
    const terms: Terms = { ...now.terms, ...peer.known(), rule, rate };
    this.now = { ...now, terms };
    await keepTerms(name, terms);
  }

  /** There is nothing to come back to. */
  private end(): void {
    const name = this.now?.room.name;
    this.halt();
    if (name !== undefined) void this.forget(name);
  }

  private halt(): void {
    clearInterval(this.looking);
    this.peer?.stop();
    this.peer = undefined;
    this.now = undefined;
    this.roots = [];
  }
}

const UNREAD =
  'The browser could not read what you chose. Choose the files with the button, or drop a folder that is yours.';

/** Why something that was shared before does not go on, in words. */
class CannotContinue extends Error {}

function lackWords({ path, why }: Lack, chosen: boolean): string {
  const name = `“${path.split('/').at(-1)}”`;
  if (why === 'changed') return `${name} is not as it was when it was shared. Share it anew, under another link.`;
  return chosen ? `${name} was not among them. Choose it, too.` : `${name} is not where it was.`;
}

function wordsFor(error: unknown): string {
  if (error instanceof PathError) return 'Two of the names do not go together. Share them one after the other.';
  if (error instanceof SourceChanged) {
    return 'What is in the files is not what was shared, though size and date are. Share them anew, under another link.';
  }
  return 'This browser could not prepare the files.';
}
