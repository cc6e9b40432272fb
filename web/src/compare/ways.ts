// The ways, each with its viewers in this page. They are the product's own: the same sessions, peer
// connections and players that its pages have; only what carries their words from one end to the other is
// short, as both ends are here.

import { AUDIO_BITRATE, codecOrder, DEFAULTS, limitsFor } from '../media/settings';
import type { Tracks } from '../media/source';
import { sample } from '../stats/sample';
import { emptySnapshot, type Snapshot } from '../stats/vocabulary';
import { failureOf } from '../topology/failure';
import type { LegState } from '../topology/leg';
import { PeerPath } from '../topology/peer-path';
import { HttpPlayer } from '../topology/play';
import { HttpSender } from '../topology/record';
import { stunUrl } from '../topology/sdp';
import { Serving } from '../topology/serving';
import { SfuPath } from '../topology/sfu';
import { WhipSession } from '../topology/whip';
import type { Trouble } from './course';
import type { Way } from './plan';
import type { Room } from './room';
import type { Sending } from './source';
import type { Viewer } from './viewer';

/** A way that is open. */
export interface Open {
  /** The source's tracks are others. */
  refresh(): void;
  /** What its connections say, each with a name. */
  snapshots(): Promise<{ what: string; snapshot: Snapshot }[]>;
  close(): void;
}

export interface WayOptions {
  room: Room;
  source: Sending;
  viewers: readonly Viewer[];
  /** What befell the way, or the one viewer of it. words: a sentence for people; viewer: counted from 0. */
  befell(kind: Trouble, words: string, viewer?: number): void;
}

export function openWay(way: Way, options: WayOptions): Open {
  switch (way) {
    case 'sfu':
      return new ByServer(options);
    case 'star':
      return new Direct(options, false);
    case 'tree':
      return new Direct(options, true);
    case 'http':
      return new ByHttp(options);
  }
}

const LOST = 'The connection to the server was lost.';
const BROKE_OFF = 'The connection to the server broke off.';
const DIRECT_LOST = 'A direct connection did not come up, or has ended.';
const DIRECT_BROKE_OFF = 'A direct connection broke off.';

const stunOf = ({ welcome }: Room): string | undefined => stunUrl(welcome.stun, window.location.hostname);

class ByServer implements Open {
  private readonly options: WayOptions;
  private readonly upload: WhipSession;
  private readonly paths: SfuPath[];

  constructor(options: WayOptions) {
    this.options = options;
    const { room, viewers } = options;
    this.upload = new WhipSession({
      url: room.welcome.mediaUrl,
      token: room.welcome.mediaToken,
      stun: stunOf(room),
      preferVideo: codecOrder(DEFAULTS.codec),
      onState: (state) => this.heard(state),
    });
    this.paths = viewers.map(
      (viewer) =>
        new SfuPath({
          url: `/whep/${room.welcome.room.name}`,
          token: undefined,
          stun: stunOf(room),
          onState: (state) => this.heard(state, viewer.number),
        }),
    );
    void this.open();
  }

  private async open(): Promise<void> {
    try {
      await this.put();
      await this.upload.open();
      await this.put();
    } catch (cause) {
      this.options.befell('over', failureOf(cause).text);
      return;
    }
    this.options.viewers.forEach((viewer, i) => void this.watch(viewer, this.paths[i]));
  }

  private async watch(viewer: Viewer, path: SfuPath | undefined): Promise<void> {
    try {
      await path?.open();
    } catch (cause) {
      this.options.befell('over', failureOf(cause).text, viewer.number);
      return;
    }
    if (path) viewer.show(path.stream);
  }

  /** Of the upload, or of one viewer's connection. */
  private heard(state: LegState, viewer?: number): void {
    if (state === 'failed') this.options.befell('over', LOST, viewer);
    else if (state === 'disconnected') this.options.befell('broke', BROKE_OFF, viewer);
  }

  private async put(): Promise<void> {
    const { audio, video } = this.options.source.tracks();
    await this.upload.replaceTrack('audio', audio);
    await this.upload.replaceTrack('video', video);
    await this.upload.limitVideo(limitsFor(DEFAULTS, this.options.source.size(), 'file'));
    await this.upload.limitAudio(AUDIO_BITRATE);
  }

  refresh(): void {
    void this.put().catch(() => undefined); // it was closed meanwhile
  }

  async snapshots(): Promise<{ what: string; snapshot: Snapshot }[]> {
    const all = [this.upload.connection, ...this.paths.map((p) => p.connection)];
    return named('sfu', await Promise.all(all.map((c) => sample(c))));
  }

  close(): void {
    for (const path of this.paths) path.close();
    this.upload.close();
  }
}

/** The uploader's end is the first, the viewers' follow. */
function named(way: Way, snapshots: readonly Snapshot[]): { what: string; snapshot: Snapshot }[] {
  return snapshots.map((snapshot, i) => ({ what: i === 0 ? `${way} uploader` : `${way} viewer ${i}`, snapshot }));
}

/** Straight from this page to each viewer, or by the first of them to all others. */
class Direct implements Open {
  private readonly sources: Serving[] = [];
  private readonly paths: PeerPath[] = [];
  private readonly way: Way;

  constructor(options: WayOptions, passedOn: boolean) {
    this.way = passedOn ? 'tree' : 'star';
    const uploader = this.source(options, () => options.source.tracks());
    const relay = passedOn ? this.source(options, () => tracksOf(this.paths[0]?.stream)) : undefined;
    options.viewers.forEach((viewer, i) => {
      const from = i > 0 && relay ? relay : uploader;
      this.open(options, viewer, i + 1, from);
      // What the first viewer passes on is there once it has it.
      if (i > 0 && relay) this.paths[0]?.connection.addEventListener('track', () => relay.refresh());
      from.serve(i + 1, String(i + 1));
    });
  }

  private source(options: WayOptions, tracks: () => Tracks): Serving {
    const serving: Serving = new Serving({
      stun: () => stunOf(options.room),
      tracks,
      limits: () => limitsFor(DEFAULTS, options.source.size(), 'file'),
      audioBitrate: AUDIO_BITRATE,
      codecs: () => codecOrder(DEFAULTS.codec),
      send: (to, signal) => this.paths[Number(to) - 1]?.hear(signal),
      failed: (way) => options.befell('over', DIRECT_LOST, way - 1),
    });
    this.sources.push(serving);
    return serving;
  }

  private open(options: WayOptions, viewer: Viewer, way: number, from: Serving): void {
    const path = new PeerPath({
      way,
      topology: this.way === 'tree' ? 'tree' : 'star',
      stun: stunOf(options.room),
      send: (signal) => from.hear(String(way), signal),
      lost: () => options.befell('over', DIRECT_LOST, viewer.number),
    });
    this.paths.push(path);
    path.connection.addEventListener('iceconnectionstatechange', () => {
      if (path.connection.iceConnectionState === 'disconnected')
        options.befell('broke', DIRECT_BROKE_OFF, viewer.number);
    });
    path.connection.addEventListener('track', () => viewer.show(path.stream));
  }

  refresh(): void {
    this.sources[0]?.refresh();
  }

  async snapshots(): Promise<{ what: string; snapshot: Snapshot }[]> {
    const senders = this.sources.flatMap((s, i) =>
      s.connections().map(({ to, connection }) => ({
        what: `${this.way} ${i === 0 ? 'uploader' : 'viewer 1'} to ${to}`,
        connection,
      })),
    );
    const receivers = this.paths.map(({ connection }, i) => ({ what: `${this.way} viewer ${i + 1}`, connection }));
    return Promise.all(
      [...senders, ...receivers].map(async ({ what, connection }) => ({ what, snapshot: await sample(connection) })),
    );
  }

  close(): void {
    for (const source of this.sources) source.close();
    for (const path of this.paths) path.close();
  }
}

function tracksOf(stream: MediaStream | undefined): Tracks {
  return { video: stream?.getVideoTracks()[0] ?? null, audio: stream?.getAudioTracks()[0] ?? null };
}

/** How long a viewer waits before it asks again for a recording that has not begun. ms */
const AGAIN = 500;

class ByHttp implements Open {
  private readonly options: WayOptions;
  private readonly sender: HttpSender;
  private readonly players = new Map<Viewer, HttpPlayer>();
  private over = false;

  constructor(options: WayOptions) {
    this.options = options;
    const { room, source, befell } = options;
    this.sender = new HttpSender({
      url: () => `/record/${room.welcome.room.name}`,
      token: () => room.welcome.mediaToken,
      // Without sound, which nothing here is measured by: it ends with the file, other tracks are another recording,
      // and the film would break off at each end of a file that goes round. The picture's track stays.
      tracks: () => ({ video: source.tracks().video, audio: null }),
      bitrate: () => limitsFor(DEFAULTS, source.size(), 'file').maxBitrate,
      onState: (state) => {
        if (state.kind !== 'failed') return;
        if (state.final) this.giveUp('never', state.text);
        else befell('broke', state.text);
      },
    });
    this.sender.want(true);
    for (const viewer of options.viewers) void this.play(viewer);
  }

  private async play(viewer: Viewer): Promise<void> {
    if (this.over) return;
    const player = new HttpPlayer({
      url: `/play/${this.options.room.welcome.room.name}`,
      token: undefined,
      onEnd: () => {
        this.options.befell('broke', 'The recording broke off, and was begun anew.', viewer.number);
        this.later(viewer);
      },
    });
    this.players.set(viewer, player);
    try {
      await player.open();
    } catch (cause) {
      this.refused(viewer, cause);
      return;
    }
    if (this.over) return;
    player.attach(viewer.video);
    viewer.play();
  }

  private later(viewer: Viewer): void {
    setTimeout(() => void this.play(viewer), AGAIN);
  }

  /** There may be a recording soon, or there is none for good. */
  private refused(viewer: Viewer, cause: unknown): void {
    if (cause instanceof Error && cause.name === 'NotSupportedError') {
      this.giveUp('never', 'This browser does not play what is recorded for it.');
      return;
    }
    const { kind, text } = failureOf(cause);
    if (kind === 'never') this.giveUp('never', text);
    else if (kind === 'key') this.giveUp('over', text);
    else this.later(viewer);
  }

  private giveUp(kind: Trouble, words: string): void {
    if (this.over) return;
    this.close();
    this.options.befell(kind, words);
  }

  refresh(): void {
    if (!this.over) this.sender.refresh();
  }

  async snapshots(): Promise<{ what: string; snapshot: Snapshot }[]> {
    const at = performance.timeOrigin + performance.now();
    const upload = { ...emptySnapshot, at, transport: { bytesIn: 0, bytesOut: this.sender.sent } };
    return named('http', [upload, ...[...this.players.values()].map((p) => p.snapshot())]);
  }

  close(): void {
    this.over = true;
    this.sender.close();
    for (const player of this.players.values()) player.close();
  }
}
