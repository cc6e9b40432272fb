// The watch page without its looks: signalling, the path, the player and the figures, and one
// set of signals that the components read. It decides little: what is shown is scene.ts, when
// to reconnect is rejoin.ts and core.ts.

import { computed, effect, signal } from '@preact/signals';
import { pageNow, SignalClient, signalUrl } from '../signal/client';
import type { ClockReading } from '../signal/clock';
import type { Link } from '../signal/core';
import type { Deliver, EndWay, Serve, ServerMessage, State, Way, Welcome } from '../signal/msg.gen';
import { viewerId } from '../signal/viewer-id';
import { Monitor } from '../stats/monitor';
import type { Figures } from '../stats/rates';
import type { Heard, Signal } from '../topology/envelope';
import type { Path, ServerOptions } from '../topology/path';
import { Paths } from '../topology/paths';
import type { PathStatus } from '../topology/rejoin';
import { stunUrl } from '../topology/sdp';
import type { Shown } from '../topology/switch';
import { canPlay, offeredFormats } from './codecs';
import { GlassWatch } from './glass';
import { HealthWatch } from './health';
import { PassOn } from './pass-on';
import { keepPassword, keptPassword } from './password';
import type { Player } from './player';
import { QualityWatch } from './quality';
import { type Facts, sceneOf } from './scene';
import type { Seldom, Wish } from './seldom';
import { WhenFetched } from './when-fetched';

type Direct = typeof import('./direct');

/** Before code that did not come is fetched once more. ms */
const AGAIN = 10_000;

/** What the controls show of the player. */
export interface PlayerView {
  muted: boolean;
  volume: number;
  soundBlocked: boolean;
  playBlocked: boolean;
  stopped: boolean;
  fullScreen: boolean;
  pictureInPicture: boolean;
}

export class WatchController {
  readonly stream: string;
  /** WebRTC is switched off in this browser: it is as if the network let nothing of it through. */
  private readonly missing = typeof RTCPeerConnection !== 'function';
  readonly link = signal<Link>({ phase: 'connecting' });
  readonly welcome = signal<Welcome | undefined>(undefined);
  readonly state = signal<Omit<State, 'type'> | undefined>(undefined);
  readonly viewers = signal<number | undefined>(undefined);
  readonly path = signal<PathStatus>('none');
  readonly shown = signal(false);
  readonly flowing = signal(false);
  readonly undecodable = signal(false);
  readonly figures = signal<Figures | undefined>(undefined);
  readonly player = signal<PlayerView>({
    muted: false,
    volume: 1,
    soundBlocked: false,
    playBlocked: false,
    stopped: false,
    fullScreen: false,
    pictureInPicture: false,
  });
  readonly passwordTried = signal(false);
  readonly scene = computed(() => sceneOf(this.facts()));

  /** The picture comes by plain HTTP. */
  readonly byHttp = signal(false);
  /** What this page sees is told to whoever compares ways. */
  readonly telling = signal(false);
  /** There once attach() has been called. */
  device: Player | undefined;
  readonly quality = new QualityWatch();
  readonly glass = new GlassWatch(
    () => this.clock(),
    () => this.client.measureClock(),
    (delay) => {
      this.passOn.delay.value = delay;
    },
  );
  /** Where the picture comes from, and whether a direct way was tried in vain. */
  readonly way = signal<{ shown: Shown; inVain: boolean }>({ shown: { at: 'nothing' }, inVain: false });
  readonly passOn: PassOn;
  private readonly client: SignalClient;
  private readonly health = new HealthWatch();
  private readonly monitor: Monitor;
  private paths: Paths | undefined;
  private direct: Direct | undefined;
  private readonly directly = new WhenFetched<Direct, Way | EndWay | Deliver | Serve>(
    () => import('./direct'),
    (code, message) => this.heard(code, message),
    (message) => {
      const { type } = message;
      if (type === 'way' || type === 'serve')
        this.client.send({ type: 'way-state', way: message.way, state: 'failed' });
    },
  );
  private used: Path | undefined;
  private seldom: Seldom | undefined;
  private readonly wished = { http: false, telling: false };
  private readonly seldomly = new WhenFetched<typeof import('./seldom'), Wish>(
    () => import('./seldom'),
    (code, wish) => this.make(code)?.want(wish),
    ({ what, want }) => {
      this.wished[what] = !want;
      setTimeout(() => this.fallBack(), AGAIN);
    },
  );
  /** The server was restarted; the Welcome that follows brings the token for a new path. */
  private restarted = false;

  constructor(stream: string) {
    this.stream = stream;
    const password = keptPassword(stream);
    this.passwordTried.value = password !== undefined;
    this.client = new SignalClient(
      signalUrl(window.location),
      {
        room: { kind: 'stream', name: stream },
        role: 'subscriber',
        viewer: viewerId(),
        ...(password === undefined ? {} : { password }),
      },
      {
        link: (link) => {
          this.link.value = link;
          this.quality.reach(link.phase === 'open');
          if (link.phase === 'refused') this.follow();
        },
        message: (message) => this.received(message),
        restarted: () => {
          this.restarted = true;
        },
      },
    );
    this.passOn = new PassOn({
      send: (message) => this.client.send(message),
      signal: (to, signal) => this.signal(to, signal),
      passing: (options) => this.fetched().passing(options),
      path: () => this.paths?.path,
      stun: () => this.server().stun,
      viewers: () => this.viewers.value ?? 0,
      roundTrip: () => this.client.clock()?.roundTrip,
      figures: () => this.figures.value,
      clock: () => this.glass.stripClock(),
    });
    this.monitor = new Monitor((figures, snapshot) => {
      this.figures.value = figures;
      this.glass.snapshot(snapshot);
      const live = this.state.value?.state === 'live' && this.path.value === 'connected';
      const health = this.health.observe(snapshot, live, pageNow());
      this.flowing.value = health.flowing;
      this.undecodable.value = health.undecodable;
      if (health.stalled) this.paths?.stalled();
    });
  }

  /** Starts everything; player is the device that shows it. */
  attach(player: Player): void {
    this.device = player;
    this.quality.attach(player.video);
    this.watchGlass();
    if (!this.missing) this.begin(player);
    effect(() => this.fallBack());
    this.client.start();
  }

  /** What needs WebRTC. */
  private begin(player: Player): void {
    this.paths = new Paths({
      server: () => this.server(),
      videoExpected: () => this.state.value?.video !== '' && this.state.value?.video !== undefined,
      live: () => this.state.value?.state === 'live',
      send: (message) => this.client.send(message),
      signal: (to, signal) => this.signal(to, signal),
      peer: (options) => this.fetched().peerPath(options),
      onUse: (path) => {
        player.use(path); // without one it leaves the last picture
        this.watch(path);
        this.quality.use(path);
        this.passOn.refresh();
      },
      onShown: () => {
        this.shown.value = true;
        this.flowing.value = true;
      },
      onStatus: (status) => {
        this.path.value = status;
      },
      onGreet: () => this.client.identify({}),
      onChanged: (shown, inVain) => {
        this.way.value = { shown, inVain };
      },
    });
    this.passOn.begin();
  }

  /** The device tells that something about it has changed. */
  playerChanged(): void {
    const d = this.device;
    if (!d) return;
    this.player.value = {
      muted: d.muted,
      volume: d.volume,
      soundBlocked: d.soundBlocked,
      playBlocked: d.playBlocked,
      stopped: d.stopped,
      fullScreen: d.fullScreen,
      pictureInPicture: d.pictureInPicture,
    };
  }

  /** Tries again with what is known, at once. */
  retry(): void {
    this.client.identify({});
  }

  givePassword(password: string): void {
    keepPassword(this.stream, password);
    this.passwordTried.value = true;
    this.client.identify({ password });
  }

  /** How the server's clock lies to the page's. */
  clock(): ClockReading | undefined {
    return this.client.clock();
  }

  /** Ends the session, the connection and all timers. */
  close(): void {
    this.paths?.close();
    this.passOn.close();
    this.monitor.close();
    this.quality.close();
    this.seldom?.close();
    this.glass.close();
    this.client.stop();
    this.device?.close();
  }

  private server(): ServerOptions {
    const welcome = this.welcome.value;
    return {
      url: welcome?.mediaUrl ?? `/whep/${encodeURIComponent(this.stream)}`,
      token: welcome?.mediaToken,
      stun: stunUrl(welcome?.stun, window.location.hostname),
    };
  }

  private watch(path: Path | undefined): void {
    this.health.reset();
    this.monitor.watch(path?.connection);
    this.used = path;
    if (!this.byHttp.value) this.watchGlass();
    if (!path) this.figures.value = undefined;
  }

  /** What the viewer sees is what the path in use shows. */
  private watchGlass(): void {
    if (this.device) this.glass.use(this.used?.topology ?? '', this.used, this.device.video);
  }

  private received(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.welcomed(message);
        break;
      case 'state':
        this.state.value = message;
        this.glass.expect(message.state === 'live');
        this.follow();
        break;
      case 'viewers':
        this.viewers.value = message.count;
        break;
      case 'figures-wanted':
        this.tell(message.wanted);
        break;
      case 'way':
      case 'way-end':
      case 'deliver':
      case 'serve':
        this.directly.hear(message);
        break;
      default:
        break;
    }
  }

  /** A message of a direct way, with the code for it there. It is for one of the page's two sides. */
  private heard(code: Direct, message: Way | EndWay | Deliver | Serve): void {
    this.direct = code;
    const heard = message.type === 'deliver' ? opened(code, message) : message;
    if (heard && !this.passOn.hear(heard)) this.paths?.hear(heard);
  }

  private signal(to: string, signal: Signal): void {
    this.client.send({ type: 'send', to, sealed: this.fetched().seal(signal) });
  }

  private fetched(): Direct {
    if (!this.direct) throw new Error('no message of a direct way has come');
    return this.direct;
  }

  private welcomed(welcome: Welcome): void {
    const wanted = this.path.value !== 'none';
    const { restarted } = this;
    const stale = this.path.value !== 'connected';
    this.restarted = false;
    this.welcome.value = welcome;
    this.state.value = welcome.stream;
    this.glass.expect(welcome.stream?.state === 'live');
    this.tell(false); // whoever wants it asks anew
    this.viewers.value = welcome.viewers;
    this.follow();
    // A path that was wanted before is made anew when the server or the token is a new one.
    if (wanted && restarted) this.paths?.restarted();
    else if (wanted && stale) this.paths?.renew();
    this.paths?.welcome();
    if (!this.missing) this.passOn.welcome();
  }

  /** A path is wanted while the stream may come, and not after its end. */
  private follow(): void {
    const over = this.state.value?.state === 'ended' || this.link.value.phase === 'refused';
    if (over) {
      this.shown.value = false;
      this.flowing.value = false;
    }
    const want = this.welcome.value !== undefined && !over;
    this.paths?.want(want);
    if (this.missing) this.path.value = want ? 'blocked' : 'none';
    if (over) this.passOn.stop();
  }

  /** Plain HTTP is for those whom nothing else reaches, and until something does. */
  private fallBack(): void {
    const [path, state] = [this.path.value, this.state.value?.state];
    const over = path === 'none' || state === 'ended' || state === 'away';
    if (over || (path === 'connected' && this.flowing.value)) this.wish('http', false);
    else if (path === 'blocked') this.wish('http', state === 'live');
  }

  private tell(wanted: boolean): void {
    this.telling.value = wanted;
    this.wish('telling', wanted);
  }

  private wish(what: Wish['what'], want: boolean): void {
    if (this.wished[what] === want) return;
    this.wished[what] = want;
    this.seldomly.hear({ what, want });
  }

  private make(code: typeof import('./seldom')): Seldom | undefined {
    const { device, glass, byHttp } = this;
    if (!device) return undefined;
    this.seldom ??= new code.Seldom({
      device,
      glass,
      byHttp,
      play: () => ({ url: `/play/${encodeURIComponent(this.stream)}`, token: this.welcome.value?.mediaToken }),
      path: () => this.used,
      figures: () => this.figures.value,
      send: (message) => this.client.send(message),
    });
    return this.seldom;
  }

  private facts(): Facts {
    const video = this.state.value?.video;
    return {
      missing: this.missing,
      link: this.link.value,
      welcomed: this.welcome.value !== undefined,
      stream: this.state.value,
      path: this.path.value,
      shown: this.shown.value,
      flowing: this.flowing.value,
      stopped: this.player.value.stopped,
      playBlocked: this.player.value.playBlocked,
      playable: !video || this.missing || (canPlay(video, offeredFormats()) && !this.undecodable.value),
      byHttp: this.byHttp.value,
      passwordWrong: this.passwordTried.value,
    };
  }
}

/** What the other end says; undefined for what is none. */
function opened(code: Direct, { from, sealed }: Deliver): Heard | undefined {
  const signal = code.unseal(sealed);
  return signal && { type: 'signal', from, signal };
}
