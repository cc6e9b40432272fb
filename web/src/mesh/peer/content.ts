// What is shared, by piece and leaf: verified on its way in, proven on its way out (docs/MESH.md,
// section 5). It knows where bytes are kept by Store and Sink alone, and never asks for any.

import { type Bytes, equal } from '../bytes';
import type { Layout } from '../layout';
import { signRoot, verifyRoot } from '../manifest';
import { LEAF, leafHash, Tree, verifyLeaf } from '../merkle';
import { cutLeaf, type Message, type Parts, wholeLeaf } from '../parts';
import { append } from '../wire';
import { type Sink, SourceChanged, type Store } from './sink';

/** A signed root of a piece. */
export interface Root {
  hash: Bytes;
  signature: Bytes;
}

export interface ContentKeys {
  /** The uploader's public key, and at the uploader itself its private one. */
  verify: CryptoKey;
  sign: CryptoKey | undefined;
}

/** A piece in memory, to be sent from. */
interface Shelved {
  leaves: readonly Bytes[];
  tree: Tree;
  root: Root;
}

/** Bytes of pieces that are kept in memory to be sent from. */
const SHELF = 8 * 1024 * 1024;
/** The part of them that may have been read before a leaf of theirs had its turn. */
const AHEAD = 1 / 4;
const NONE = new Uint8Array();

export class Content {
  readonly layout: Layout;
  readonly sink: Sink | undefined;
  readonly roots = new Map<number, Root>();
  private readonly id: Bytes;
  private readonly keys: ContentKeys;
  private readonly store: Store;
  /** Roots whose signatures are being looked at. */
  private readonly judging = new Map<number, { root: Root; good: Promise<boolean> }>();
  /** Hears of each root that is signed here. */
  private readonly signed: ((piece: number, root: Root) => void) | undefined;
  /** The one used last is the last. */
  private readonly shelf = new Map<number, Promise<Shelved>>();
  /** What was read ahead, lies there, and has not been sent from. */
  private readonly ahead = new Set<number>();

  constructor(
    id: Bytes,
    layout: Layout,
    keys: ContentKeys,
    store: Store | Sink,
    signed?: (piece: number, root: Root) => void,
  ) {
    this.id = id;
    this.layout = layout;
    this.keys = keys;
    this.store = store;
    this.sink = 'write' in store ? store : undefined;
    this.signed = signed;
  }

  /** Whether a whole leaf is what was shared. Those of several peers may be looked at together. */
  async verify({ proof, bytes, hash = leafHash(bytes) }: Parts, piece: number, index: number): Promise<boolean> {
    if (!proof) return false;
    const known = this.roots.get(piece);
    if (known && !equal(known.hash, proof.root)) return false;
    const leafed = verifyLeaf(proof.root, index, this.layout.leaves(piece), proof.nodes, hash);
    if (known) return leafed;
    const rooted = this.isRoot(piece, { hash: proof.root, signature: proof.signature });
    return (await Promise.all([rooted, leafed])).every((good) => good);
  }

  /** Stores a leaf that was verified, and takes over its memory. Throws what the sink throws. */
  async keep({ bytes }: Parts, piece: number, index: number): Promise<void> {
    await this.sink?.write(this.layout.leafStart(piece, index), bytes);
  }

  /** Whether the uploader has signed this root. It is looked at once, also when several peers bring it together. */
  private async isRoot(piece: number, root: Root): Promise<boolean> {
    const known = this.roots.get(piece);
    if (known) return equal(known.hash, root.hash);
    const other = this.judging.get(piece);
    if (other && equal(other.root.hash, root.hash) && equal(other.root.signature, root.signature)) return other.good;
    const good = verifyRoot(this.keys.verify, this.id, piece, root.hash, root.signature);
    this.judging.set(piece, { root, good });
    const signed = await good;
    this.judging.delete(piece);
    if (!signed) return false;
    if (!this.roots.has(piece)) this.roots.set(piece, root);
    return equal((this.roots.get(piece) as Root).hash, root.hash);
  }

  /**
   * Reads a piece of which leaves will go out soon, unless enough of them wait already. Else the lane would run dry while one is
   * read, hashed and signed, on a busy machine. What cannot be read is told when it is sent.
   */
  prepare(piece: number): void {
    if (this.shelf.has(piece) || this.ahead.size >= Math.floor(this.places * AHEAD)) return;
    this.ahead.add(piece);
    this.load(piece).catch(() => undefined);
  }

  /** The messages in which a leaf goes to a peer that takes largest bytes at a time. Throws what the store throws. */
  async messages(piece: number, index: number, largest: number): Promise<Message[]> {
    this.ahead.delete(piece);
    const { leaves, tree, root } = await this.load(piece);
    const leaf = { piece, leaf: index, bytes: leaves[index] as Bytes };
    const proof = { root: root.hash, signature: root.signature, nodes: tree.proof(index) };
    const whole = wholeLeaf(leaf, proof);
    if (whole.head.length + whole.bytes.length <= largest) return [whole];
    return cutLeaf(leaf, proof, largest).map((frame) => ({ head: NONE, bytes: append(frame) }));
  }

  /** Throws SourceChanged unless these pieces lead to the roots that are known of them. */
  async check(pieces: readonly number[]): Promise<void> {
    for (const piece of pieces) await this.read(piece);
  }

  private load(piece: number): Promise<Shelved> {
    const known = this.shelf.get(piece);
    this.shelf.delete(piece);
    const loading = known ?? this.read(piece);
    this.shelf.set(piece, loading);
    loading.catch(() => this.takeDown(piece));
    for (const oldest of this.shelf.keys()) {
      if (this.shelf.size <= this.places) break;
      this.takeDown(oldest);
    }
    return loading;
  }

  /** How many pieces the shelf takes. */
  private get places(): number {
    return Math.max(2, Math.floor(SHELF / this.layout.piece));
  }

  private takeDown(piece: number): void {
    this.shelf.delete(piece);
    this.ahead.delete(piece);
  }

  private async read(piece: number): Promise<Shelved> {
    const bytes = await this.store.read(this.layout.pieceStart(piece), this.layout.pieceLength(piece));
    const leaves = leavesOf(bytes, this.layout.leaves(piece));
    // One by one: browsers hash on the page's own thread, and others' leaves leave in between.
    const hashes: Bytes[] = [];
    for (const leaf of leaves) hashes.push(await leafHash(leaf));
    const tree = new Tree(hashes);
    return { leaves, tree, root: await this.rootOf(piece, tree.root) };
  }

  /** The signed root of a piece whose bytes lead to this hash. */
  private async rootOf(piece: number, hash: Bytes): Promise<Root> {
    const known = this.roots.get(piece);
    if (known && equal(known.hash, hash)) return known;
    if (known || !this.keys.sign) throw new SourceChanged();
    const root = { hash, signature: await signRoot(this.keys.sign, this.id, piece, hash) };
    this.roots.set(piece, root);
    this.signed?.(piece, root);
    return root;
  }
}

/** Those of the pieces whose bytes are not what these roots are of, or cannot be read. */
export async function spoilt(
  store: Store,
  layout: Layout,
  roots: ReadonlyMap<number, Root>,
  pieces: Iterable<number>,
): Promise<number[]> {
  const out: number[] = [];
  for (const piece of pieces) {
    const root = roots.get(piece);
    if (!root || !equal(root.hash, await hashOf(store, layout, piece))) out.push(piece);
  }
  return out;
}

/** How many pieces are looked at before one believes the others, too. */
const SAMPLE = 8;

/**
 * What is to be fetched again of pieces that were stored at an earlier time: some are looked at, and all
 * when one of these is not as it was.
 */
export async function lost(store: Store, layout: Layout, roots: ReadonlyMap<number, Root>): Promise<number[]> {
  const some = await spoilt(store, layout, roots, sample([...roots.keys()], SAMPLE));
  return some.length > 0 ? spoilt(store, layout, roots, roots.keys()) : [];
}

/** No bytes where the piece cannot be read. */
async function hashOf(store: Store, layout: Layout, piece: number): Promise<Bytes> {
  try {
    const bytes = await store.read(layout.pieceStart(piece), layout.pieceLength(piece));
    return new Tree(await Promise.all(leavesOf(bytes, layout.leaves(piece)).map(leafHash))).root;
  } catch {
    return new Uint8Array();
  }
}

/** The first, the last, and some between, never the same ones. */
export function sample(pieces: readonly number[], count: number): number[] {
  const chance = Array.from({ length: count - 2 }, () => Math.floor(Math.random() * pieces.length));
  const chosen = new Set([0, pieces.length - 1, ...chance]);
  return [...chosen].map((i) => pieces[i]).filter((piece) => piece !== undefined);
}

/** The leaves of a piece, where they lie. */
const leavesOf = (bytes: Bytes, count: number): Bytes[] =>
  Array.from({ length: count }, (_, i) => bytes.subarray(i * LEAF, (i + 1) * LEAF));
