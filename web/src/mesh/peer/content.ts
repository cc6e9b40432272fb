// What is shared, by piece and leaf: verified on its way in, proven on its way out (docs/MESH.md,
// section 5). It knows where bytes are kept by Store and Sink alone, and never asks for any.

import { type Bytes, concat, equal } from '../bytes';
import type { Layout } from '../layout';
import { signRoot, verifyRoot } from '../manifest';
import { LEAF, leafHash, Tree, verifyLeaf } from '../merkle';
import { cutLeaf, headLength, type Message, type Parts, wholeLeaf } from '../parts';
import { append, PIECE_LEAVES } from '../wire';
import { Lately } from './lately';
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

/** What is known of a piece once all of it was read. */
interface Known {
  tree: Tree;
  root: Root;
}

/** Leaves that are read and kept together: a part of a piece, or all of it. */
const TOGETHER = 8;
/**
 * Bytes of leaves that are kept in memory to be sent from. Where they are views of what was read ahead, each keeps all of its block
 * (read-ahead.ts): some 12 MiB where pieces are asked for in order; a peer that asks for a part of another block each time can make it
 * 64, or 128 of small pieces.
 */
const SHELF = 8 * 1024 * 1024;
/** The part of them that may have been read before a leaf of theirs had its turn. */
const AHEAD = 1 / 4;
/** How many pieces are known at a time. Of large ones many are sent from at once, and fewer find a place on the shelf. */
const KNOWN = 128;
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
  private readonly known = new Lately<Known>(KNOWN);
  /** Leaves that lie together, by nameOf. */
  private readonly shelf: Lately<readonly Bytes[]>;
  /** What was read ahead, lies there, and has not been sent from. */
  private readonly ahead = new Set<number>();
  /** How much of that there may be. */
  private readonly most: number;

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
    const places = Math.max(2, Math.floor(SHELF / Math.min(layout.piece, TOGETHER * LEAF)));
    this.most = Math.floor(places * AHEAD);
    this.shelf = new Lately(places, (name) => this.ahead.delete(name));
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
   * Reads leaves that will go out soon, unless enough of them wait already, or all of a large piece would have to be
   * read. Else the lane would run dry while they are read, hashed and signed, on a busy machine. What cannot be read is
   * told when it is sent.
   */
  prepare(piece: number, index: number): void {
    const name = nameOf(piece, index);
    if (this.shelf.has(name) || this.ahead.has(name) || this.ahead.size >= this.most) return;
    if (this.layout.leaves(piece) > TOGETHER && !this.known.has(piece)) return;
    this.ahead.add(name);
    this.load(piece, index).catch(() => this.ahead.delete(name));
  }

  /** The messages in which a leaf goes to a peer that takes largest bytes at a time. Throws what the store throws. */
  async messages(piece: number, index: number, largest: number): Promise<Message[]> {
    this.ahead.delete(nameOf(piece, index));
    const { tree, root, leaves } = await this.load(piece, index);
    const leaf = { piece, leaf: index, bytes: leaves[index % TOGETHER] as Bytes };
    const proof = { root: root.hash, signature: root.signature, nodes: tree.proof(index) };
    const whole = wholeLeaf(leaf, proof);
    if (whole.head.length + whole.bytes.length <= largest) return [whole];
    return cutLeaf(leaf, proof, largest).map((frame) => ({ head: NONE, bytes: append(frame) }));
  }

  /** Throws SourceChanged unless these pieces lead to the roots that are known of them. */
  async check(pieces: readonly number[]): Promise<void> {
    for (const piece of pieces) await this.know(piece);
  }

  /** The leaves that lie together with one, and what is known of their piece. */
  private async load(piece: number, index: number): Promise<Known & { leaves: readonly Bytes[] }> {
    const known = await this.known.get(piece, () => this.know(piece));
    const leaves = await this.shelf.get(nameOf(piece, index), () => this.again(piece, index, known.tree));
    return { ...known, leaves };
  }

  /** Reads all of a piece, of which as much is left on the shelf as there is room: nothing if it is not what it was. */
  private async know(piece: number): Promise<Known> {
    try {
      return await this.readAll(piece);
    } catch (error) {
      for (let index = 0; index < this.layout.leaves(piece); index += TOGETHER) this.shelf.delete(nameOf(piece, index));
      throw error;
    }
  }

  private async readAll(piece: number): Promise<Known> {
    const hashes: Bytes[] = [];
    for (let index = 0; index < this.layout.leaves(piece); index += TOGETHER) {
      const leaves = await this.shelf.get(nameOf(piece, index), () => this.read(piece, index));
      // One by one: browsers hash on the page's own thread, and others' leaves leave in between.
      for (const leaf of leaves) hashes.push(await leafHash(leaf));
    }
    const tree = new Tree(hashes);
    return { tree, root: await this.rootOf(piece, tree.root) };
  }

  /** Reads leaves of a piece that is known. */
  private async again(piece: number, index: number, tree: Tree): Promise<Bytes[]> {
    const leaves = await this.read(piece, index);
    for (const [i, leaf] of leaves.entries())
      if (!equal(await leafHash(leaf), tree.leaf(firstOf(index) + i))) throw new SourceChanged();
    return leaves;
  }

  private async read(piece: number, index: number): Promise<Bytes[]> {
    const at = this.layout.leafStart(piece, firstOf(index));
    const length = Math.min(TOGETHER * LEAF, this.layout.pieceStart(piece) + this.layout.pieceLength(piece) - at);
    const bytes = await this.store.read(at, length);
    const leaves = leavesOf(bytes, Math.ceil(length / LEAF));
    const room = headLength(PIECE_LEAVES);
    if (bytes.byteOffset >= room) return leaves;
    // The first alone has no room before it (bytes.ts, behind), and would be copied each time.
    const [one, ...others] = leaves;
    return [concat(new Uint8Array(room), one as Bytes).subarray(room), ...others];
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

/** The first of the leaves that lie together with one, and a number that stands for them. */
const firstOf = (index: number): number => index - (index % TOGETHER);
const nameOf = (piece: number, index: number): number => piece * PIECE_LEAVES + firstOf(index);

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
