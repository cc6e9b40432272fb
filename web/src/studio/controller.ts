// The studio without its looks: carries out what step.ts decides, and holds the signals that
// the components read.

import { computed, signal } from '@preact/signals';
import { type Chosen, dropOldHandles, dropped, pickWithHandles } from '../media/handles';
import { type DeviceName, listDevices } from '../media/live-source';
import { qualitiesFor, warm, warmQualities } from '../media/qualities';
import { current, type Queue } from '../media/queue';
import { AUDIO_BITRATE, codecOrder, hintFor, keepFor, limitsFor, sentSize, withDelay } from '../media/settings';
import type { Tracks } from '../media/source';
import { pageNow, SignalClient, signalUrl } from '../signal/client';
import { keeps, takeKey } from '../signal/key';
import { Monitor } from '../stats/monitor';
import type { Figures } from '../stats/rates';
import { stunUrl } from '../topology/sdp';
import { sendsSeveral } from '../topology/simulcast';
import { Awake } from './awake';
import { Delivery } from './delivery';
import { Files } from './files';
import { GOOD, judge, Steady } from './health';
import { keptBeside, keptOf, remembered } from './kept';
import { Measuring } from './measuring';
import { memoryOf, Shelf } from './memory';
import { titleOfPage } from './page-title';
import { Publisher } from './publisher';
import { declared, mustWarn, phaseOf, shownTitle, wantsAwake } from './select';
import { ShownKey } from './shown-key';
import { Stage } from './stage';
import { type Effect, type Event, initial, type StageEffect } from './state';
import { step } from './step';
import { Tabs } from './tabs';

const SAVE_EVERY = 1_000; // ms

export class StudioController {
  private readonly keeps = keeps();
  readonly key = new ShownKey(this.keeps);
  readonly state = signal(initial);
  /** The page has found out what it remembers; until then it shows nothing. */
  readonly begun = signal(false);
  readonly figures = signal<Figures | undefined>(undefined);
  readonly health = signal(GOOD);
  readonly cameras = signal<readonly DeviceName[]>([]);
  readonly microphones = signal<readonly DeviceName[]>([]);
  readonly measuring: Measuring;
  readonly phase = computed(() => phaseOf(this.state.value));
  readonly stage: Stage;
  /** How viewers get the stream. */
  readonly delivery: Delivery;

  private readonly shelf = new Shelf(this.keeps.tab as Storage | undefined, this.keeps.device as Storage | undefined);
  private readonly files = new Files();
  private readonly awake = new Awake();
  private readonly steady = new Steady();
  private readonly severals = new Map<string, boolean>();
  private readonly tabs = new Tabs(() => this.state.value.room?.name);
  private readonly publisher: Publisher;
  private readonly monitor: Monitor;
  private client: SignalClient | undefined;
  /** The stream's name, kept over reloads. */
  private stream = '';
  private saving: ReturnType<typeof setTimeout> | undefined;
  private chosenInstead: readonly Chosen[] = [];
  /** The connection to the server that is in use. */
  private connection: RTCPeerConnection | undefined;

  constructor() {
    this.stage = new Stage(this.feed, () => this.refresh());
    this.delivery = new Delivery({
      topology: () => this.state.value.topology,
      send: (message) => this.client?.send(message),
      stun: () => this.target()?.stun,
      tracks: () => this.tracks(),
      limits: () => this.limits(),
      codecs: () => codecOrder(this.state.value.settings.codec),
      connection: () => this.connection,
      recorded: () => this.measuring.recorded(),
      viewers: () => this.state.value.viewers,
      roundTrip: () => this.client?.clock()?.roundTrip,
      clock: () => this.measuring.clock(),
      direct: (viewer, snapshot) => this.measuring.snapshot(snapshot, viewer),
      spared: () => this.publisher.refresh(),
    });
    this.measuring = new Measuring({
      client: () => this.client,
      room: () => this.state.value.room,
      live: () => this.state.value.live,
      tracks: () => this.tracks(),
      bitrate: () => this.limits().maxBitrate,
      stamp: (stamp) => this.stage.measure(stamp),
    });
    this.publisher = new Publisher({
      target: () => this.target(),
      tracks: () => this.tracks(),
      limits: () => (this.delivery.spared.value ? warm(this.limits(), this.stage.size()) : this.limits()),
      qualities: () => (this.delivery.spared.value ? warmQualities(this.qualities()) : this.qualities()),
      several: () => this.several && !this.state.value.settings.one,
      audioBitrate: AUDIO_BITRATE,
      codecs: () => codecOrder(this.state.value.settings.codec),
      onStatus: (status) => this.feed({ kind: 'path', status }),
      onConnection: (connection) => this.watch(connection),
      onGreet: () => this.client?.identify({}),
      onFailure: (failure) => this.feed({ kind: 'problem', text: failure.text }),
    });
    this.monitor = new Monitor((figures, snapshot) => {
      this.figures.value = figures;
      this.measuring.snapshot(snapshot);
      const judged = this.steady.observe(judge(figures, snapshot, this.asked()));
      this.health.value = this.delivery.spared.value ? GOOD : judged;
    });
  }

  readonly feed = (event: Event): void => {
    const before = this.state.value;
    const { state, effects } = step(before, event);
    this.state.value = state;
    for (const effect of effects) this.carryOut(effect);
    this.awake.want(wantsAwake(state));
    if (state.live !== before.live || state.room !== before.room) this.measuring.refresh();
    const decided = state.queue.items !== before.queue.items || before.resume !== undefined;
    if (decided && !state.resume) this.files.keep(state.queue.items.map((i) => i.id));
    this.saving ??= setTimeout(() => this.save(), SAVE_EVERY);
  };

  /** Finds out what is remembered and begins. */
  async start(): Promise<void> {
    this.listen();
    this.delivery.begin();
    const key = takeKey(window.location, window.history, this.keeps);
    let memory = this.shelf.read(pageNow());
    const taken = await this.tabs.isTaken(memory?.stream ?? '');
    if (taken && memory) memory = keptBeside(memory);
    this.stream = memory?.stream ?? '';
    const resume = memory ? await remembered(memory) : undefined;
    if (resume) this.files.adopt(resume.queue.items);
    void dropOldHandles(pageNow());
    this.feed({ kind: 'begin', key, kept: keptOf(memory), ...(resume ? { resume } : {}) });
    this.stage.listenAt(this.state.value.volume, this.state.value.muted);
    this.begun.value = true;
  }

  /** Files that were chosen or dropped; after a reload they are held against those that were on. */
  addFiles(chosen: readonly Chosen[]): void {
    if (chosen.length === 0) return;
    const { resume } = this.state.value;
    if (resume?.kind === 'file') this.chooseAgain(resume.queue, chosen);
    else this.feed({ kind: 'added', items: this.files.take(chosen) });
  }

  async drop(data: DataTransfer): Promise<void> {
    this.addFiles(await dropped(data));
  }

  /** Opens the browser's file dialog; fallback opens the plain one. */
  async pick(fallback: () => void): Promise<void> {
    const chosen = await pickWithHandles();
    if (chosen) this.addFiles(chosen);
    else fallback();
  }

  private chooseAgain(queue: Queue, chosen: readonly Chosen[]): void {
    const { others, ...found } = this.files.match(queue.items, queue.current, chosen);
    this.chosenInstead = chosen;
    this.feed({ kind: 'restored', ...found });
    // The stream goes on: what else was chosen comes after.
    if (!this.state.value.resume && others.length > 0) this.feed({ kind: 'added', items: this.files.take(others) });
  }

  /** Those files, although they are others: a new list. */
  useInstead(): void {
    this.feed({ kind: 'instead', items: this.files.take(this.chosenInstead) });
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'connect':
        this.connect(effect.key, effect.remember);
        break;
      case 'identify':
        this.client?.identify(effect.change);
        break;
      case 'rename':
        void this.rename(effect.name);
        break;
      case 'keyWorks':
        this.key.works();
        break;
      case 'keyWrong':
        this.key.wrong();
        break;
      case 'keyForget':
        this.forgetKey();
        break;
      case 'remember':
        this.stream = effect.name;
        this.save();
        break;
      case 'tell':
        this.client?.send(effect.message);
        break;
      case 'reopen':
        void this.reopen();
        break;
      case 'want':
        // Before the first Welcome there is nowhere to publish; it asks again.
        if (!effect.want || this.target()) this.publisher.want(effect.want);
        break;
      case 'renew':
        this.publisher.renew();
        break;
      case 'limits':
        this.refresh();
        break;
      default:
        this.direct(effect);
    }
  }

  /** What concerns the source. */
  private direct(effect: StageEffect): void {
    if (effect.kind === 'load') {
      const file = this.files.get(effect.id);
      if (file) this.stage.load(file, effect.at, effect.play);
      else this.feed({ kind: 'refused', trouble: NOT_THERE });
    } else if (effect.kind === 'openDevice') {
      void this.stage.openDevice(effect.source, effect.devices).then(() => this.nameDevices());
    } else {
      this.stage.carryOut(effect);
    }
  }

  private connect(key: string, remember: boolean): void {
    this.key.show(key, remember);
    if (this.client) {
      this.client.identify({ token: key });
      return;
    }
    this.client = new SignalClient(
      signalUrl(window.location),
      { room: { kind: 'stream', name: this.stream }, role: 'publisher', token: key },
      {
        link: (link) => {
          this.feed({ kind: 'link', link });
          if (link.phase === 'replaced' || link.phase === 'refused') this.delivery.stop();
        },
        message: (message) => {
          this.feed({ kind: 'message', message });
          this.delivery.hear(message);
        },
        restarted: () => this.feed({ kind: 'restarted' }),
      },
    );
    this.client.start();
  }

  private async rename(name: string): Promise<void> {
    if (await this.tabs.isTaken(name)) this.feed({ kind: 'nameInUse' });
    else this.client?.identify({ room: { kind: 'stream', name } });
  }

  private forgetKey(): void {
    this.client?.stop();
    this.client = undefined;
    this.delivery.stop();
    this.key.forget();
  }

  private async reopen(): Promise<void> {
    const queue = this.state.value.resume?.queue;
    const on = queue && current(queue);
    if (!on) return;
    const others = queue.items.filter((item) => item.id !== on.id);
    const there = await this.files.reopen(on);
    this.feed({ kind: 'restored', ids: there ? [on.id] : [], pending: others.map((item) => item.id) });
    if (!there || this.state.value.resume) return;
    const missing: string[] = [];
    for (const item of others) if (!(await this.files.reopen(item))) missing.push(item.id);
    if (missing.length > 0) this.feed({ kind: 'missing', ids: missing });
  }

  private async nameDevices(): Promise<void> {
    const { cameras, microphones } = await listDevices();
    this.cameras.value = cameras;
    this.microphones.value = microphones;
  }

  private target() {
    const { room, settings } = this.state.value;
    if (!room) return undefined;
    return {
      url: withDelay(room.mediaUrl, settings.delay),
      token: room.mediaToken,
      stun: stunUrl(room.stun, window.location.hostname),
    };
  }

  private tracks(): Tracks {
    const tracks = this.stage.tracks();
    const { settings, kind } = this.state.value;
    if (tracks.video) tracks.video.contentHint = hintFor(keepFor(settings, kind ?? 'file'));
    return tracks;
  }

  private limits() {
    const { settings, kind } = this.state.value;
    return limitsFor(settings, this.stage.size(), kind ?? 'file');
  }

  private qualities() {
    const { settings, kind } = this.state.value;
    return qualitiesFor(settings, this.stage.size(), kind ?? 'file');
  }

  /** This browser can send the chosen format in several qualities. */
  get several(): boolean {
    const [mime = ''] = codecOrder(this.state.value.settings.codec);
    let known = this.severals.get(mime);
    if (known === undefined) {
      known = sendsSeveral(mime);
      this.severals.set(mime, known);
    }
    return known;
  }

  private asked() {
    const { settings, hidden } = this.state.value;
    const size = this.stage.size();
    return {
      size: size && sentSize(settings, size),
      maxBitrate: this.limits().maxBitrate ?? 0,
      moving: declared(this.state.value) === 'live',
      hidden,
    };
  }

  /** The tracks, the size or the limits are others now. */
  private refresh(): void {
    this.publisher.refresh();
    this.delivery.refresh();
    this.measuring.refresh();
  }

  private watch(connection: RTCPeerConnection | undefined): void {
    this.connection = connection;
    this.steady.reset();
    this.health.value = GOOD;
    this.figures.value = undefined;
    this.monitor.watch(connection);
  }

  private save(): void {
    clearTimeout(this.saving);
    this.saving = undefined;
    if (this.begun.value) this.shelf.write(memoryOf(this.state.value, this.stream, pageNow()));
  }

  private listen(): void {
    document.addEventListener('visibilitychange', () => this.feed({ kind: 'hidden', hidden: document.hidden }));
    window.addEventListener('beforeunload', (event) => {
      if (!mustWarn(this.state.value)) return;
      event.preventDefault();
      event.returnValue = true; // Chromium before 119 looks at this alone
    });
    window.addEventListener('pagehide', () => this.save());
    // A page that comes out of the browser's memory has lost its connections: it begins anew.
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) window.location.reload();
    });
    this.state.subscribe((state) => {
      document.title = titleOfPage(phaseOf(state), shownTitle(state), state.hidden && state.kind === 'file');
    });
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.nameDevices());
  }
}

/** The list goes on before all of its files are opened again; the person was quicker, or this one is gone. */
const NOT_THERE = { title: 'This file could not be opened again.', advice: 'Add it to the list once more.' };
