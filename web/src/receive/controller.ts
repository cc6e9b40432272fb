// The receiving page without its looks: meets the others by the link, and stores what comes.

import { signal } from '@preact/signals';
import { toBase64 } from '../mesh/base64';
import { equal, hex } from '../mesh/bytes';
import { type Link, LinkError, parseLink } from '../mesh/link';
import { layoutOf } from '../mesh/manifest';
import type { Offered } from '../mesh/peer/config';
import type { Root } from '../mesh/peer/content';
import { newIdentity } from '../mesh/peer/identity';
import { Journal, type StoredPiece } from '../mesh/peer/journal';
import { dropOldFiles, NoRoom, openSink, type Sink } from '../mesh/peer/sink';
import { Peer } from '../mesh/peer/swarm';
import { newViewerId } from '../signal/viewer-id';
import { bytes } from '../ui/format';
import { download, type Saved, saveInto } from './save';
import { type Event, initial, step } from './state';
import { browserName } from './words';

const LOOK_EVERY = 500;
/** What was received and not saved is kept for so long (ms). */
const KEEP = 24 * 3600_000;

export class ReceiveController {
  readonly state = signal(initial);
  private peer: Peer | undefined;
  private offered: Offered | undefined;
  private sink: Sink | undefined;
  private journal: Journal | undefined;
  /** Whole pieces that are not in the journal. */
  private fresh: StoredPiece[] = [];
  private noting = false;
  /** What the journal and the file in the browser are known by. */
  private name = '';

  async start(): Promise<void> {
    window.addEventListener('hashchange', () => window.location.reload());
    window.addEventListener('beforeunload', (event) => {
      const { phase, lasting } = this.state.value;
      if (phase === 'fetching' && !lasting) event.preventDefault();
    });
    if (!window.isSecureContext) return;
    let link: Link;
    try {
      link = parseLink(window.location.href);
    } catch (error) {
      this.feed({ kind: 'badLink', fault: error instanceof LinkError ? error.fault : 'damaged' });
      return;
    }
    void dropOldFiles(Date.now(), KEEP);
    this.name = await nameFor(`${link.room}.${toBase64(link.key)}`);
    const journal = await Journal.open(this.name, Date.now(), KEEP);
    const identity = journal.identity ?? (await newIdentity());
    if (!journal.identity) await journal.keepIdentity(identity, Date.now());
    this.journal = journal;
    this.peer = await Peer.make({
      link,
      identity,
      fetch: { name: browserName(navigator.userAgent), password: '' },
      tell: (event) => {
        if (event.kind === 'stored') {
          this.fresh.push({ piece: event.piece, ...event.root });
          return;
        }
        if (event.kind === 'finished') void this.note();
        this.feed({ kind: 'mesh', event });
        if (event.kind === 'offered') this.take(event.offered);
        if (event.kind === 'waits' || event.kind === 'offered') void this.check();
      },
    });
    this.peer.start();
    setInterval(() => {
      if (this.peer) this.feed({ kind: 'status', status: this.peer.status() });
      void this.note();
    }, LOOK_EVERY);
  }

  private readonly feed = (event: Event): void => {
    this.state.value = step(this.state.value, event);
  };

  choose(file: number, wanted: boolean): void {
    this.feed({ kind: 'choose', file, wanted });
  }

  chooseAll(wanted: boolean): void {
    this.feed({ kind: 'chooseAll', wanted });
  }

  password(password: string): void {
    this.feed({ kind: 'password' });
    this.peer?.identify({ password });
  }

  /** Works out the words that show whether somebody stands between the two. */
  private async check(): Promise<void> {
    this.feed({ kind: 'words', words: await this.peer?.words() });
  }

  /** After a reload the same transfer goes on by itself. */
  private take(offered: Offered): void {
    this.offered = offered;
    const begun = this.journal?.begun;
    if (begun && equal(begun.id, offered.id)) void this.begin(new Set(begun.wanted), true);
  }

  /** The person wants what is chosen. */
  accept(): Promise<void> {
    return this.begin(this.state.value.wanted, false);
  }

  private async begin(wanted: ReadonlySet<number>, again: boolean): Promise<void> {
    const { offered, peer, journal } = this;
    if (!offered || !peer || !journal || this.sink) return;
    const size = layoutOf(offered.manifest).total;
    try {
      this.sink = await openSink(`${this.name}.${hex(offered.id).slice(0, 16)}`, size);
    } catch (error) {
      this.feed({ kind: 'problem', text: roomWords(error, size) });
      return;
    }
    const whole = new Map<number, Root>();
    if (again && this.sink.lasting) for (const { piece, ...root } of await journal.pieces()) whole.set(piece, root);
    else await journal.begin({ id: offered.id, wanted: [...wanted] }, Date.now());
    this.feed({ kind: 'accepted', wanted, lasting: this.sink.lasting });
    peer.accept({ sink: this.sink, wanted, whole });
  }

  /** Writes down what is stored, after it is safe on the disk. */
  private async note(): Promise<void> {
    if (this.noting || this.fresh.length === 0 || !this.sink?.lasting) return;
    this.noting = true;
    const pieces = this.fresh.splice(0);
    try {
      await this.sink.flush();
      await this.journal?.add(pieces);
    } catch {
      this.fresh.unshift(...pieces); // the disk is full, say; what is not noted is fetched again
    }
    this.noting = false;
  }

  pause(paused: boolean): void {
    this.peer?.pause(paused);
    this.feed({ kind: 'pause', paused });
  }

  /** Saves one file as a download. */
  save(file: number): void {
    const one = this.saved(file);
    if (!one) return;
    download(one);
    this.feed({ kind: 'saved', files: [file] });
  }

  /** Saves all into a folder that the person chooses. */
  async saveFolder(): Promise<void> {
    const files = [...this.state.value.wanted].sort((a, b) => a - b);
    const all = files.map((file) => this.saved(file)).filter((one) => one !== undefined);
    this.feed({ kind: 'saving' });
    try {
      const done = await saveInto(all);
      this.feed({ kind: 'saved', files: done ? files : [] });
    } catch {
      this.feed({ kind: 'problem', text: 'The folder could not be written. Choose another one.' });
    }
  }

  private saved(file: number): Saved | undefined {
    const { manifest } = this.state.value;
    const entry = manifest?.files[file];
    if (!manifest || !entry || !this.sink) return undefined;
    return { entry, blob: this.sink.blob(layoutOf(manifest).fileStart(file), entry.size) };
  }
}

/** How long a page that is being reloaded may hold what is its own (ms). */
const HANDING_OVER = 1_500;

/** The name under which a tab keeps a transfer. A second tab of the same browser is another receiver. */
function nameFor(link: string): Promise<string> {
  return new Promise((resolve) => {
    const held = (): Promise<void> => {
      resolve(link);
      return new Promise(() => undefined); // as long as the page lives
    };
    const { locks } = navigator as { locks?: LockManager };
    const asking = locks?.request(`fanfare.${link}`, { signal: AbortSignal.timeout(HANDING_OVER) }, held);
    (asking ?? Promise.reject(new Error('no locks'))).catch(() => resolve(`${link}.${newViewerId()}`));
  });
}

function roomWords(error: unknown, size: number): string {
  if (!(error instanceof NoRoom)) return 'This browser could not store the files. Reload the page to try again.';
  return `This browser has no room for ${bytes(size)}. Free some space on the disk, or use “fanfare get” at a terminal, which has no such limit.`;
}
