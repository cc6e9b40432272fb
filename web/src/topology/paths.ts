// The shell round Switch at a viewer: keeps the session with the server and the direct ways that it wants,
// tells it how they are, and hands on the one to be shown. It decides nothing.

import type { ClientMessage } from '../signal/msg.gen';
import { sample } from '../stats/sample';
import type { Heard, Signal } from './envelope';
import type { Path, ServerOptions } from './path';
import type { PeerPath, PeerPathOptions } from './peer-path';
import { PULSE, Pulse } from './pulse';
import { Reconnect } from './reconnect';
import type { PathStatus } from './rejoin';
import { SfuPath } from './sfu';
import { framesDecoded, whenShown } from './shown';
import { type Shown, Switch, type SwitchInput, type SwitchOutput } from './switch';

export interface PathsOptions {
  /** Where the server's endpoint is, by the latest Welcome. */
  server(): ServerOptions;
  /** A picture should come, and not sound alone. */
  videoExpected(): boolean;
  /** Pictures should be coming now: the stream is not paused. */
  live(): boolean;
  send(message: ClientMessage): void;
  /** To the other end of a direct way. */
  signal(to: string, signal: Signal): void;
  /** Makes the end of a direct way. */
  peer(options: PeerPathOptions): PeerPath;
  /** Show this path from now on; undefined keeps the last picture. */
  onUse(path: Path | undefined): void;
  /** A path has brought its first picture or sound. */
  onShown(): void;
  onStatus(status: PathStatus): void;
  /** The server refused the token: greet it again, then call renew(). */
  onGreet(): void;
  /** What is on the screen is another way, or one of another length. inVain: a direct way did not come up. */
  onChanged(shown: Shown, inVain: boolean): void;
}

interface Peer {
  path: PeerPath;
  from: string;
  stopWaiting: () => void;
}

export class Paths {
  private readonly options: PathsOptions;
  private readonly policy = new Switch();
  private readonly reconnect: Reconnect<SfuPath>;
  private readonly peers = new Map<number, Peer>();
  private readonly pulse = new Pulse();
  /** The session with the server that may be shown. */
  private server: SfuPath | undefined;
  private serverStatus: PathStatus = 'none';
  private used: Path | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;

  constructor(options: PathsOptions) {
    this.options = options;
    this.reconnect = new Reconnect<SfuPath>({
      make: (onState) => new SfuPath({ ...options.server(), onState }),
      whenShown: (path, shown) =>
        whenShown(path.connection, options.videoExpected, {
          shown: () => {
            shown();
            options.onShown();
            this.feed({ kind: 'shown', way: 'server' });
          },
          flows: () => this.feed({ kind: 'flows' }),
        }),
      onUse: (path) => this.serverIs(path),
      onStatus: (status) => {
        this.serverStatus = status;
        this.tellStatus();
      },
      onGreet: options.onGreet,
      onFailure: () => undefined,
    });
  }

  /** What is shown now. */
  get path(): Path | undefined {
    return this.used;
  }

  /** Whether the stream is wanted at all. */
  want(want: boolean): void {
    this.feed({ kind: 'want', want });
  }

  /** There is a new token, or another reason for a new session with the server. */
  renew(): void {
    this.reconnect.renew();
  }

  /** The server was restarted and knows nothing of what was before. */
  restarted(): void {
    this.reconnect.restarted();
  }

  /** The server has let this page in anew: call want() before. */
  welcome(): void {
    this.feed({ kind: 'welcome' });
  }

  /** Nothing has come for long although something should. */
  stalled(): void {
    if (this.used === this.server) this.reconnect.stalled();
  }

  hear(message: Heard): void {
    switch (message.type) {
      case 'way': {
        const { type: _, ...facts } = message;
        this.feed({ kind: 'way', facts });
        break;
      }
      case 'way-end':
        this.feed({ kind: 'end', way: message.way });
        break;
      case 'signal': {
        const peer = this.peers.get(message.signal.way);
        if (peer?.from === message.from) peer.path.hear(message.signal);
        break;
      }
      case 'serve': // is for the other side of the page
        break;
    }
  }

  close(): void {
    this.want(false);
    this.reconnect.close();
    clearTimeout(this.timer);
    clearInterval(this.looking);
  }

  private serverIs(path: SfuPath | undefined): void {
    const old = this.server;
    this.server = path;
    if (path) this.feed({ kind: 'server' });
    else if (this.used === old) this.show(undefined);
  }

  private feed(input: SwitchInput): void {
    for (const output of this.policy.step(input, performance.now())) this.carryOut(output);
    clearTimeout(this.timer);
    const due = this.policy.deadline();
    if (due !== undefined) {
      this.timer = setTimeout(() => this.feed({ kind: 'tick' }), Math.max(0, due - performance.now()));
    }
  }

  private carryOut(output: SwitchOutput): void {
    switch (output.kind) {
      case 'server':
        this.reconnect.want(output.want);
        break;
      case 'open':
        this.open(output.facts.way, output.facts.via === 'direct' ? 'star' : 'tree', output.facts.from ?? '');
        break;
      case 'close':
        this.drop(output.way);
        break;
      case 'use':
        this.show(output.way === 'server' ? this.server : this.peers.get(output.way)?.path);
        break;
      case 'tell':
        this.options.send(output.message);
        break;
      case 'changed':
        this.options.onChanged(this.policy.shown, this.policy.inVain);
        this.tellStatus();
        break;
    }
  }

  private open(way: number, topology: 'star' | 'tree', from: string): void {
    const path = this.options.peer({
      way,
      topology,
      stun: this.options.server().stun,
      send: (signal) => this.options.signal(from, signal),
      lost: () => this.feed({ kind: 'lost', way }),
    });
    const shown = (): void => {
      this.options.onShown();
      this.feed({ kind: 'shown', way });
    };
    const stopWaiting = whenShown(path.connection, this.options.videoExpected, { shown });
    this.peers.set(way, { path, from, stopWaiting });
  }

  private drop(way: number): void {
    const peer = this.peers.get(way);
    this.peers.delete(way);
    peer?.stopWaiting();
    peer?.path.close();
    if (peer && this.used === peer.path) this.show(undefined);
  }

  private show(path: Path | undefined): void {
    this.used = path;
    this.options.onUse(path);
    this.pulse.reset();
    clearInterval(this.looking);
    const direct = [...this.peers.values()].find((peer) => peer.path === path)?.path;
    if (direct) this.looking = setInterval(() => void this.look(direct), PULSE.look);
  }

  /** Whether pictures still come by the direct way that is shown. */
  private async look(path: PeerPath): Promise<void> {
    if (!this.options.live() || !this.options.videoExpected()) {
      this.pulse.reset();
      return;
    }
    const frames = framesDecoded(await sample(path.connection));
    const shown = this.policy.shown;
    if (path !== this.used || shown.at !== 'peer') return;
    const ms = this.pulse.observe(frames, performance.now());
    if (ms !== undefined) this.feed({ kind: 'silent', way: shown.facts.way, ms });
  }

  /** A direct way that is shown is a connection like that to the server. */
  private tellStatus(): void {
    this.options.onStatus(this.policy.shown.at === 'peer' ? 'connected' : this.serverStatus);
  }
}
