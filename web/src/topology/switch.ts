// Which of several ways a viewer shows, and which it keeps. Make before break: what is on the screen stays
// until another way has shown a picture. It is told the time and does no IO; paths.ts carries out.
//
// The way by the server is there by itself from the beginning, and whenever nothing better is certain: when a
// direct way fails, when the server has lost sight of this page, when it asks for it. A direct way is made when
// the server says so, and then the one by the server is given up.

import type { Via, WayState } from '../signal/msg.gen';

/** A way as the server tells it. */
export interface WayFacts {
  way: number;
  via: Via;
  from?: string;
  relays: number;
}

/** What is on the screen. */
export type Shown = { at: 'nothing' } | { at: 'server' } | { at: 'peer'; facts: WayFacts };

export type SwitchInput =
  /** Whether anything is wanted at all: not before the server has answered, not after the end. */
  | { kind: 'want'; want: boolean }
  /** The server let this page in anew: what it said before of ways does not hold any more. */
  | { kind: 'welcome' }
  | { kind: 'way'; facts: WayFacts }
  | { kind: 'end'; way: number }
  /** There is a session with the server that may be shown, be it before its first picture. */
  | { kind: 'server' }
  /** A way has brought a picture, or sound where there is none to come. */
  | { kind: 'shown'; way: number | 'server' }
  /** Pictures come one after another by the server, which sends but one a second to those whom it need not serve. */
  | { kind: 'flows' }
  /** A direct way did not come up, or has ended. */
  | { kind: 'lost'; way: number }
  /** Nothing new has come by the way on the screen for so many ms; 0: it goes on. */
  | { kind: 'silent'; way: number; ms: number }
  | { kind: 'tick' };

export type SwitchOutput =
  | { kind: 'server'; want: boolean }
  | { kind: 'open'; facts: WayFacts }
  | { kind: 'close'; way: number }
  /** Show it from now on. */
  | { kind: 'use'; way: number | 'server' }
  | { kind: 'tell'; message: WayState }
  /** What the page says of the way is something else now. */
  | { kind: 'changed' };

/** How long a direct way may take until it shows a picture: the picture of before is there meanwhile, and machines are busy when
 * several ways begin at once. ms; the server gives up a little later */
export const PATIENCE = 18_000;

interface Peer {
  facts: WayFacts;
  /** void: the server knows nothing of it any more; it only stays until something else shows a picture. */
  phase: 'making' | 'shown' | 'void';
  due: number;
  /** Nothing new comes by it. */
  silent: boolean;
}

export class Switch {
  private wanted = false;
  /** The session with the server: none, wanted, with its first picture shown, with pictures that flow. */
  private server: 'none' | 'wanted' | 'shown' | 'flows' = 'none';
  /** The server's own way that it waits to hear of. */
  private asked: number | undefined;
  private readonly peers = new Map<number, Peer>();
  private screen: 'nothing' | 'server' | Peer = 'nothing';
  /** A direct way was tried in vain since the last one that came up. */
  private failed = false;

  /** What is on the screen. */
  get shown(): Shown {
    if (typeof this.screen === 'string') return { at: this.screen };
    return { at: 'peer', facts: this.screen.facts };
  }

  /** A direct way was wanted and did not come up. */
  get inVain(): boolean {
    return this.failed && this.screen === 'server';
  }

  deadline(): number | undefined {
    const due = [...this.peers.values()].flatMap((p) => (p.phase === 'making' ? p.due : []));
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  step(input: SwitchInput, now: number): SwitchOutput[] {
    switch (input.kind) {
      case 'want':
        return this.want(input.want);
      case 'welcome':
        return this.welcome();
      case 'way':
        return this.wanted ? this.way(input.facts, now) : [];
      case 'end':
        return this.end(input.way);
      case 'server':
        return this.server !== 'none' && typeof this.screen === 'string' ? this.useServer() : [];
      case 'shown':
        return input.way === 'server' ? this.serverHasShown() : this.peerHasShown(input.way);
      case 'flows':
        return this.serverHasFlow();
      case 'lost':
        return this.lost(input.way);
      case 'silent':
        return this.silent(input.way, input.ms);
      case 'tick':
        return [...this.peers.values()]
          .filter((p) => p.phase === 'making' && now >= p.due)
          .flatMap((p) => this.lost(p.facts.way));
    }
  }

  private want(want: boolean): SwitchOutput[] {
    if (want === this.wanted) return [];
    this.wanted = want;
    if (want) return this.needServer();
    const out: SwitchOutput[] = [...this.peers.keys()].map((way) => ({ kind: 'close', way }));
    this.peers.clear();
    if (this.server !== 'none') out.push({ kind: 'server', want: false });
    this.server = 'none';
    this.asked = undefined;
    this.failed = false;
    this.screen = 'nothing';
    return [...out, { kind: 'changed' }];
  }

  private needServer(): SwitchOutput[] {
    if (this.server !== 'none' || !this.wanted) return [];
    this.server = 'wanted';
    return [{ kind: 'server', want: true }];
  }

  private welcome(): SwitchOutput[] {
    this.asked = undefined;
    const out: SwitchOutput[] = [];
    for (const [way, peer] of [...this.peers]) {
      if (peer === this.screen) peer.phase = 'void';
      else out.push(...this.drop(way));
    }
    return [...out, ...this.needServer()];
  }

  private way(facts: WayFacts, now: number): SwitchOutput[] {
    if (facts.via === 'sfu') {
      this.asked = facts.way;
      if (this.screen === 'server' && this.serverShown) return this.tellAsked();
      // It may have shown a picture while a direct way was on the screen.
      return this.serverShown ? this.toServer() : this.needServer();
    }
    const known = this.peers.get(facts.way);
    if (known && known.phase !== 'void') {
      known.facts = facts;
      return known === this.screen ? [{ kind: 'changed' }] : [];
    }
    this.asked = undefined;
    this.peers.set(facts.way, { facts, phase: 'making', due: now + PATIENCE, silent: false });
    return [{ kind: 'open', facts }];
  }

  private end(way: number): SwitchOutput[] {
    const peer = this.peers.get(way);
    if (!peer) return [];
    if (peer !== this.screen) return this.drop(way);
    peer.phase = 'void';
    return this.serverShown ? this.useServer() : this.needServer();
  }

  private drop(way: number): SwitchOutput[] {
    this.peers.delete(way);
    return [{ kind: 'close', way }];
  }

  private serverHasShown(): SwitchOutput[] {
    if (this.server === 'none') return [];
    if (this.server === 'wanted') this.server = 'shown';
    return this.screen === 'server' ? this.tellAsked() : this.toServer();
  }

  private serverHasFlow(): SwitchOutput[] {
    if (!this.serverShown) return [];
    this.server = 'flows';
    return this.screen === 'server' ? [] : this.toServer();
  }

  private get serverShown(): boolean {
    return this.server === 'shown' || this.server === 'flows';
  }

  /** The server has shown a picture. A direct way by which pictures come stays until they flow by the server as well, if it is to
   * be given up at all. */
  private toServer(): SwitchOutput[] {
    const peer = typeof this.screen === 'object' && this.screen.phase === 'shown' ? this.screen : undefined;
    const stays = peer && (this.asked === undefined || !(peer.silent || this.server === 'flows'));
    return stays ? [] : this.useServer();
  }

  private useServer(): SwitchOutput[] {
    const old = this.screen;
    this.screen = 'server';
    const out: SwitchOutput[] = [{ kind: 'use', way: 'server' }];
    if (typeof old === 'object') out.push(...this.drop(old.facts.way));
    if (this.serverShown) out.push(...this.tellAsked());
    if (old !== 'server') out.push({ kind: 'changed' });
    return out;
  }

  private tellAsked(): SwitchOutput[] {
    const way = this.asked;
    this.asked = undefined;
    return way === undefined ? [] : [{ kind: 'tell', message: { type: 'way-state', way, state: 'ready' } }];
  }

  private peerHasShown(way: number): SwitchOutput[] {
    const peer = this.peers.get(way);
    if (peer?.phase !== 'making') return [];
    const old = this.screen;
    peer.phase = 'shown';
    this.screen = peer;
    this.failed = false;
    const out: SwitchOutput[] = [
      { kind: 'use', way },
      { kind: 'tell', message: { type: 'way-state', way, state: 'ready' } },
    ];
    if (typeof old === 'object') out.push(...this.drop(old.facts.way));
    if (this.server !== 'none') out.push({ kind: 'server', want: false });
    this.server = 'none';
    this.asked = undefined;
    return [...out, { kind: 'changed' }];
  }

  private lost(way: number): SwitchOutput[] {
    const peer = this.peers.get(way);
    if (!peer || peer.phase === 'void') return [];
    const out: SwitchOutput[] = [{ kind: 'tell', message: { type: 'way-state', way, state: 'failed' } }];
    if (peer !== this.screen) {
      this.failed = true;
      return [...out, ...this.drop(way), { kind: 'changed' }];
    }
    peer.phase = 'void';
    return [...out, ...(this.serverShown ? this.useServer() : this.needServer())];
  }

  private silent(way: number, ms: number): SwitchOutput[] {
    const peer = this.peers.get(way);
    if (peer?.phase !== 'shown' || peer !== this.screen) return [];
    peer.silent = ms > 0;
    const state = peer.silent ? 'silent' : 'alive';
    const told: SwitchOutput = {
      kind: 'tell',
      message: { type: 'way-state', way, state, ...(ms > 0 ? { for: ms } : {}) },
    };
    return [told, ...(this.serverShown ? this.toServer() : [])];
  }
}
