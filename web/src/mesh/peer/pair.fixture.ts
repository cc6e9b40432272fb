// A sender, and receivers one after the other, as in pages but for the line between them, their clock, and where bytes
// lie.

import type { Bytes } from '../bytes';
import { MeshError } from '../error';
import { keyHash, newAgreement, random } from '../keys';
import { Layout } from '../layout';
import { LEAF } from '../merkle';
import { newSigningKeys, pointOf } from '../sign';
import { PASS_ON, RECEIVE, UPLOADER } from '../token';
import type { Config, Event } from './config';
import type { Identity } from './identity';
import type { End, Line, World } from './line.fixture';
import { Peer } from './swarm';

/** The second is not wanted, and all zeros: it is there so that pieces have several leaves. */
const SIZES = [2 * 1024 * 1024 + 12_345, 128 * 1024 * 1024] as const;
export const layout = new Layout(SIZES);
/** Of the first file. */
export const [SIZE] = SIZES;
export const wanted: ReadonlySet<number> = new Set([0]);
/** The first file, to the end of its last piece. */
export const stream: Bytes = new Uint8Array(layout.filePieces(0).end * layout.piece);
for (let at = 0; at < SIZE; at += LEAF) stream.set(random(Math.min(LEAF, SIZE - at)), at);

/** A file of the stream: that of a browser would read in threads of its own. */
function fileAt(start: number): Blob {
  const slice = (from: number, to: number) => {
    const bytes = new Uint8Array(to - from);
    bytes.set(stream.subarray(start + from, start + to));
    return { arrayBuffer: async () => bytes.buffer };
  };
  const part = { slice } as unknown as Blob;
  return { slice: () => part } as unknown as Blob;
}

const newIdentity = async (): Promise<Identity> => ({
  agreement: await newAgreement(),
  certificate: {} as RTCCertificate,
  fingerprint: random(32),
});

export class Couple {
  connections = 0;
  /** Errors that ended a connection, and are none of the other side's. */
  readonly crashes: unknown[] = [];
  private readonly world: World;
  private readonly line: Line;
  private sender!: Peer;
  private them!: Pick<Config, 'link' | 'identity'>;

  private constructor(world: World, line: Line) {
    this.world = world;
    this.line = line;
  }

  /** The sender is there. */
  static async make(world: World, line: Line): Promise<Couple> {
    const couple = new Couple(world, line);
    const keys = await newSigningKeys();
    const key = await keyHash(await pointOf(keys.publicKey));
    const link = { server: 'http://localhost', room: 'room', secret: random(16), key };
    const files = SIZES.map((size, i) => ({ path: `${i}.bin`, size, mtime: 0 }));
    const share = {
      ...{ keys, owner: '', manifest: { files, created: 0, text: '' }, expires: Date.now() + 1e9 },
      ...{ files: new Map(SIZES.map((_, i) => [i, fileAt(layout.fileStart(i))])) },
      rule: { approve: false, password: '', most: 0 },
    };
    couple.sender = await couple.start({ link, identity: await newIdentity(), share, tell: () => undefined });
    couple.them = { link, identity: await newIdentity() };
    return couple;
  }

  /** The same receiver each time. */
  async receiver(tell: (event: Event) => void): Promise<Peer> {
    const receiver = await this.start({ ...this.them, fetch: { name: 'receiver', password: '' }, tell });
    receiver.intro.signer = this.sender.intro.signer;
    return receiver;
  }

  /** Both are linked, as after HELLO. Every other time each is told that the other takes no whole leaf. */
  async connect(receiver: Peer): Promise<End> {
    const [a, b] = this.line.connect();
    const attempt = random(16);
    const largest = this.connections++ % 2 === 0 ? 262_144 : 61_440;
    const ends = [
      { peer: this.sender, other: receiver, conn: a, serial: 1, rights: RECEIVE | PASS_ON },
      { peer: receiver, other: this.sender, conn: b, serial: 0, rights: UPLOADER | PASS_ON },
    ];
    for (const { peer, other, conn, serial, rights } of ends) {
      const { agreement, fingerprint } = other.cfg.identity;
      const { dh } = agreement;
      const token = { room: random(16), serial, expiry: 0, rights, dh, fingerprint, key: new Uint8Array(65) };
      const seed = other === this.sender;
      const pair = await peer.intro.pair(dh);
      peer.links.connected({ attempt, ours: !seed, peer: dh, token, pair, conn, seed, largest });
    }
    return b;
  }

  /** Until nothing is going on any more. */
  async end(): Promise<void> {
    this.sender.stop();
    while (!this.world.isQuiet) await this.world.turn();
  }

  private async start(cfg: Config): Promise<Peer> {
    const peer = await Peer.make(cfg);
    const broke = peer.links.broke.bind(peer.links);
    peer.links.broke = (link, error) => {
      if (!(error instanceof MeshError)) this.crashes.push(error);
      broke(link, error);
    };
    peer.start();
    return peer;
  }
}
