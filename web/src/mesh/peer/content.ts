// What is shared, by piece and leaf: verified on its way in, proven on its way out (docs/MESH.md,
// section 5). It knows where bytes are kept by Store and Sink alone, and never asks for any.

import { type Bytes, equal } from '../bytes';
import type { Layout } from '../layout';
import { signRoot, verifyRoot } from '../manifest';
import { LEAF, leafHash, Tree, verifyLeaf } from '../merkle';
import { cutLeaf, type Parts } from '../parts';
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
  bytes: Bytes;
  tree: Tree;
  root: Root;
}

/** Bytes of pieces that are kept in memory to be sent from. */
const SHELF = 8 * 1024 * 1024;

export class Content {
  readonly layout: Layout;
  readonly sink: Sink | undefined;
  readonly roots = new Map<number, Root>();
  private readonly id: Bytes;
  private readonly keys: ContentKeys;
  private readonly store: Store;
  /** The one used last is the last. */
  private readonly shelf = new Map<number, Promise<Shelved>>();

  constructor(id: Bytes, layout: Layout, keys: ContentKeys, store: Store | Sink) {
    this.id = id;
    this.layout = layout;
    this.keys = keys;
    this.store = store;
    this.sink = 'write' in store ? store : undefined;
  }

  /**
   * Verifies a whole leaf and stores it; false when it is not what was shared. missing is asked after
   * that: what two peers were asked for comes twice, and the sink may be closed by then. Throws what
   * the sink throws.
   */
  async take(leaf: Parts, piece: number, index: number, missing: () => boolean): Promise<boolean> {
    const { proof, bytes } = leaf;
    if (!proof || !this.sink) return false;
    const known = this.roots.get(piece);
    if (known && !equal(known.hash, proof.root)) return false;
    if (!known && !(await verifyRoot(this.keys.verify, this.id, piece, proof.root, proof.signature))) return false;
    if (!(await verifyLeaf(proof.root, index, this.layout.leaves(piece), proof.nodes, bytes))) return false;
    if (!known) this.roots.set(piece, { hash: proof.root, signature: proof.signature });
    if (missing()) await this.sink.write(this.layout.leafStart(piece, index), bytes);
    return true;
  }

  /** The messages in which a leaf goes to a peer that takes largest bytes at a time. Throws what the store throws. */
  async messages(piece: number, index: number, largest: number): Promise<Bytes[]> {
    const { bytes, tree, root } = await this.load(piece);
    const start = index * LEAF;
    const leaf = { piece, leaf: index, bytes: bytes.subarray(start, start + this.layout.leafLength(piece, index)) };
    const proof = { root: root.hash, signature: root.signature, nodes: tree.proof(index) };
    return cutLeaf(leaf, proof, largest).map(append);
  }

  private load(piece: number): Promise<Shelved> {
    const known = this.shelf.get(piece);
    this.shelf.delete(piece);
    const loading = known ?? this.read(piece);
    this.shelf.set(piece, loading);
    loading.catch(() => this.shelf.delete(piece));
    const most = Math.max(2, Math.floor(SHELF / this.layout.piece));
    for (const oldest of this.shelf.keys()) {
      if (this.shelf.size <= most) break;
      this.shelf.delete(oldest);
    }
    return loading;
  }

  private async read(piece: number): Promise<Shelved> {
    const bytes = await this.store.read(this.layout.pieceStart(piece), this.layout.pieceLength(piece));
    const leaves = Array.from({ length: this.layout.leaves(piece) }, (_, i) =>
      leafHash(bytes.subarray(i * LEAF, (i + 1) * LEAF)),
    );
    const tree = new Tree(await Promise.all(leaves));
    return { bytes, tree, root: await this.rootOf(piece, tree.root) };
  }

  /** The signed root of a piece whose bytes lead to this hash. */
  private async rootOf(piece: number, hash: Bytes): Promise<Root> {
    const known = this.roots.get(piece);
    if (known && equal(known.hash, hash)) return known;
    if (known || !this.keys.sign) throw new SourceChanged();
    const root = { hash, signature: await signRoot(this.keys.sign, this.id, piece, hash) };
    this.roots.set(piece, root);
    return root;
  }
}
