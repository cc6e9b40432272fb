// The receiving page without its looks: meets the others by the link, and stores what comes.

import { signal } from '@preact/signals';
import { toBase64 } from '../mesh/base64';
import { equal } from '../mesh/bytes';
import { type Link, LinkError, parseLink } from '../mesh/link';
import { layoutOf } from '../mesh/manifest';
import type { Offered } from '../mesh/peer/config';
import { newIdentity } from '../mesh/peer/identity';
import { Journal } from '../mesh/peer/journal';
import { dropOldFiles, Memory, NoRoom } from '../mesh/peer/sink';
import { Peer } from '../mesh/peer/swarm';
import { newViewerId } from '../signal/viewer-id';
import { bytes } from '../ui/format';
import { lacking } from '../ui/secure';
import { Keeping, type Kept, NotChosen } from './keeping';
import { Player } from './player';
import { download, downloadHead, fetchAsDownload, type Saved, saveInto } from './save';
import { Served } from './served';
import { type Event, initial, type State, step, wantedBytes } from './state';
import { Streamed } from './streamed';
import { browserName } from './words';

const LOOK_EVERY = 500;
/** What was received and not saved is kept for so long (ms). */
const KEEP = 24 * 3600_000;

export class ReceiveController {
  readonly state = signal(initial);
  private peer: Peer | undefined;
  private offered: Offered | undefined;
  private journal: Journal | undefined;
  private keeping: Keeping | undefined;
  private opening = false;
  private player: Player | undefined;
  private served: Promise<Served | undefined> | undefined;
  private room = '';

  async start(): Promise<void> {
    window.addEventListener('hashchange', () => window.location.reload());
    window.addEventListener('beforeunload', (event) => {
      const { phase, lasting } = this.state.value;
      if (phase === 'fetching' && !lasting) event.preventDefault();
    });
    if (lacking()) return;
    let link: Link;
    try {
      link = parseLink(window.location.href);
    } catch (error) {
      this.feed({ kind: 'badLink', fault: error instanceof LinkError ? error.fault : 'damaged' });
      return;
    }
    void dropOldFiles(Date.now(), KEEP);
    this.room = link.room;
    const name = await nameFor(`${link.room}.${toBase64(link.key)}`);
    const journal = await Journal.open(name, Date.now(), KEEP);
    this.keeping = new Keeping(journal, name);
    const identity = journal.identity ?? (await newIdentity());
    if (!journal.identity) await journal.keepIdentity(identity, Date.now());
    this.journal = journal;
    this.peer = await Peer.make({
      link,
      identity,
      fetch: { name: browserName(navigator.userAgent), password: '' },
      tell: (event) => {
        if (event.kind === 'stored') {
          this.keeping?.stored({ piece: event.piece, ...event.root });
          this.player?.news();
          return;
        }
        if (event.kind === 'finished') void this.keeping?.note();
        this.feed({ kind: 'mesh', event });
        if (event.kind === 'offered') this.take(event.offered);
        if (event.kind === 'waits' || event.kind === 'offered') void this.check();
      },
    });
    this.peer.start();
    setInterval(() => {
      if (this.peer) this.feed({ kind: 'status', status: this.peer.status() });
      void this.keeping?.note();
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

  /** After a reload the same transfer goes on by itself, unless the browser wants a click for it. */
  private take(offered: Offered): void {
    this.offered = offered;
    const begun = this.journal?.begun;
    if (!begun || !equal(begun.id, offered.id)) return;
    this.feed({ kind: 'again', wanted: new Set(begun.wanted) });
    void this.open(new Set(begun.wanted), (keeping) => keeping.goOn(offered, false));
  }

  /** The person wants what is chosen, or lets the page go on with it. */
  accept(): Promise<void> {
    const { wanted, again } = this.state.value;
    const { offered } = this;
    if (!offered) return Promise.resolve();
    // What is a text alone has no place, and is taken by being looked at.
    if (offered.manifest.files.length === 0) {
      return this.open(wanted, async () => ({ sink: new Memory(0), whole: new Map() }));
    }
    return this.open(wanted, (keeping) =>
      again ? keeping.goOn(offered, true) : keeping.begin(offered, wanted, () => this.serve()),
    );
  }

  /** Takes something else than what was begun at an earlier time. */
  anew(): void {
    this.feed({ kind: 'anew' });
  }

  private async open(wanted: ReadonlySet<number>, how: (keeping: Keeping) => Promise<Kept>): Promise<void> {
    const { offered, peer, keeping } = this;
    if (!offered || !peer || !keeping || this.opening) return;
    this.opening = true;
    this.feed({ kind: 'opening', opening: true });
    try {
      const kept = await how(keeping);
      const { lasting, placed } = kept.sink;
      this.feed({ kind: 'accepted', wanted, lasting, placed });
      peer.accept({ ...kept, wanted });
      await this.began(kept);
      void keeping.lookOn(offered, kept.whole, (piece) => this.fetchAgain(offered, piece));
    } catch (error) {
      this.opening = false;
      this.feed({ kind: 'opening', opening: false });
      if (!(error instanceof NotChosen)) this.feed({ kind: 'problem', text: roomWords(error, this.state.value) });
    }
  }

  /** A piece of what was here from an earlier time is not as it was. */
  private async fetchAgain({ manifest }: Offered, piece: number): Promise<void> {
    const fetched = await this.peer?.lose(piece).catch(() => false);
    if (!fetched) return this.feed({ kind: 'problem', text: SPOILT });
    const layout = layoutOf(manifest);
    const spans = layout.spans(layout.pieceStart(piece), layout.pieceLength(piece));
    this.feed({ kind: 'spoilt', files: spans.map(({ file }) => file) });
  }

  /** What can be given to the browser while it comes. */
  private async began({ sink }: Kept): Promise<void> {
    const { manifest } = this.offered as Offered;
    const layout = layoutOf(manifest);
    if (sink instanceof Streamed) {
      const served = await this.serve();
      const give = (file: number): void => {
        if (served) fetchAsDownload(served.url(file));
      };
      sink.onNext = give;
      if (sink.next !== undefined) give(sink.next);
      return;
    }
    if (sink.placed) return;
    this.player = new Player(manifest, layout, {
      here: (at, most) => this.peer?.here(at, most) ?? 0,
      play: (at) => this.peer?.play(at),
      read: (at, length) => sink.read(at, length),
    });
  }

  private serve(): Promise<Served | undefined> {
    this.served ??= Served.open(this.room, (file, range) => {
      const { sink } = this.keeping ?? {};
      const entry = this.offered?.manifest.files[file];
      if (entry && sink instanceof Streamed) return sink.flow(file, downloadHead(entry));
      return this.player?.answer(file, range);
    });
    return this.served;
  }

  /** Plays a file with what is here of it, or no file. */
  async play(file: number | undefined): Promise<void> {
    this.player?.play(file);
    const served = file === undefined ? undefined : await this.serve();
    const playing = file !== undefined && served ? { file, url: served.url(file) } : undefined;
    this.feed({ kind: 'play', playing });
    if (file !== undefined && !served) {
      this.feed({ kind: 'problem', text: 'This browser cannot play what is still coming, as in a private window.' });
    }
  }

  pause(paused: boolean): void {
    this.peer?.pause(paused);
    this.feed({ kind: 'pause', paused });
  }

  /** Saves one file as a download. */
  save(file: number): void {
    try {
      const one = this.saved(file);
      if (!one) return;
      download(one);
      this.feed({ kind: 'saved', files: [file] });
    } catch {
      this.feed({ kind: 'problem', text: 'The file cannot be read at the moment. Try again.' });
    }
  }

  /** Saves all into a folder that the person chooses. */
  async saveFolder(): Promise<void> {
    const files = [...this.state.value.wanted].sort((a, b) => a - b);
    this.feed({ kind: 'saving' });
    try {
      const all = files.map((file) => this.saved(file)).filter((one) => one !== undefined);
      const done = await this.keeping?.give(() => saveInto(all));
      this.feed({ kind: 'saved', files: done ? files : [] });
    } catch {
      this.feed({ kind: 'problem', text: 'The folder could not be written. Choose another one.' });
    }
  }

  private saved(file: number): Saved | undefined {
    const { manifest } = this.state.value;
    const entry = manifest?.files[file];
    const { sink } = this.keeping ?? {};
    if (!manifest || !entry || !sink) return undefined;
    return { entry, blob: sink.blob(layoutOf(manifest).fileStart(file), entry.size) };
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

const SPOILT =
  'A part of what this browser had stored is not as it was. Reload the page while the sender is there: that part is fetched again.';

function roomWords(error: unknown, state: State): string {
  if (!(error instanceof NoRoom)) return 'This browser could not store the files. Reload the page to try again.';
  const size = bytes(wantedBytes(state));
  return `This browser has no room for ${size}. Choose fewer files, free some space on the disk, or use “fanfare get” at a terminal, which has no such limit.`;
}
