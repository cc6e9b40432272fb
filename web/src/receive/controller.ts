// The receiving page without its looks: meets the others by the link, and stores what comes.

import { signal } from '@preact/signals';
import { hex } from '../mesh/bytes';
import { type Link, LinkError, parseLink } from '../mesh/link';
import { layoutOf } from '../mesh/manifest';
import type { Offered } from '../mesh/peer/config';
import { newIdentity } from '../mesh/peer/identity';
import { dropOldFiles, NoRoom, openSink, type Sink } from '../mesh/peer/sink';
import { Peer } from '../mesh/peer/swarm';
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
    this.peer = await Peer.make({
      link,
      identity: await newIdentity(),
      fetch: { name: browserName(navigator.userAgent), password: '' },
      tell: (event) => {
        if (event.kind === 'offered') this.offered = event.offered;
        this.feed({ kind: 'mesh', event });
      },
    });
    this.peer.start();
    setInterval(() => {
      if (this.peer) this.feed({ kind: 'status', status: this.peer.status() });
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

  /** The person wants what is chosen. */
  async accept(): Promise<void> {
    const { offered, peer } = this;
    const { wanted } = this.state.value;
    if (!offered || !peer || this.sink) return;
    const size = layoutOf(offered.manifest).total;
    try {
      this.sink = await openSink(`${peer.cfg.link.room}-${hex(offered.id).slice(0, 16)}`, size);
    } catch (error) {
      this.feed({ kind: 'problem', text: roomWords(error, size) });
      return;
    }
    this.feed({ kind: 'accepted', wanted, lasting: this.sink.lasting });
    peer.accept({ sink: this.sink, wanted });
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

function roomWords(error: unknown, size: number): string {
  if (!(error instanceof NoRoom)) return 'This browser could not store the files. Reload the page to try again.';
  return `This browser has no room for ${bytes(size)}. Free some space on the disk, or use “fanfare get” at a terminal, which has no such limit.`;
}
