// The files behind the list: File objects and their handles, by the id of the item.

import { type Chosen, dropHandle, keepHandle, reopen } from '../media/handles';
import { difference, type Item, isSame } from '../media/queue';
import { pageNow } from '../signal/client';
import { newViewerId } from '../signal/viewer-id';

/** What files that were chosen again are to the list that is remembered. */
export interface Match {
  /** The items that are there again. */
  ids: string[];
  /** The one that was on is not among them: what another the first one is, in words. */
  difference?: string;
  /** Those that were not on the list. */
  others: Chosen[];
}

export class Files {
  private readonly files = new Map<string, File>();
  /** Whose handles are this page's to drop: another tab has a list, and handles, of its own. */
  private readonly mine = new Set<string>();

  get(id: string): File | undefined {
    return this.files.get(id);
  }

  /** Takes files in and makes items of them. */
  take(chosen: readonly Chosen[]): Item[] {
    return chosen.map((one) => {
      const id = newViewerId();
      this.put(id, one);
      return { id, ...described(one.file) };
    });
  }

  /** A remembered list goes on in this page, and its handles with it. */
  adopt(items: readonly Item[]): void {
    for (const { id } of items) this.mine.add(id);
  }

  /** Forgets all of this page's but these. */
  keep(ids: readonly string[]): void {
    for (const id of this.mine) {
      if (ids.includes(id)) continue;
      this.mine.delete(id);
      this.files.delete(id);
      void dropHandle(id);
    }
  }

  /** Opens a kept handle, after a click; false when the file is not there, or is not what it was. */
  async reopen(item: Item): Promise<boolean> {
    const chosen = await reopen(item.id);
    if (!chosen || !isSame(item, described(chosen.file))) return false;
    this.files.set(item.id, chosen.file);
    return true;
  }

  /** Matches files that were chosen again with the remembered ones. */
  match(items: readonly Item[], on: string | undefined, chosen: readonly Chosen[]): Match {
    const ids: string[] = [];
    for (const item of items) {
      const found = chosen.find((c) => isSame(item, described(c.file)));
      if (!found) continue;
      this.put(item.id, found);
      ids.push(item.id);
    }
    const others = chosen.filter((c) => !items.some((item) => isSame(item, described(c.file))));
    const missing = items.find((i) => i.id === on && !ids.includes(i.id));
    const first = others[0] ?? chosen[0];
    const words = missing && first ? difference(missing, described(first.file)) : undefined;
    return { ids, others, ...(words === undefined ? {} : { difference: words }) };
  }

  private put(id: string, { file, handle }: Chosen): void {
    this.mine.add(id);
    this.files.set(id, file);
    if (handle) void keepHandle(id, handle, pageNow());
  }
}

function described(file: File): Pick<Item, 'name' | 'size' | 'modified'> {
  return { name: file.name, size: file.size, modified: file.lastModified };
}
