// The files behind the list: File objects and their handles, by the id of the item.

import { type Chosen, keepHandle, keepOnly, reopen } from '../media/handles';
import { difference, type Item, isSame } from '../media/queue';
import { newViewerId } from '../signal/viewer-id';

export class Files {
  private readonly files = new Map<string, File>();

  get(id: string): File | undefined {
    return this.files.get(id);
  }

  /** Takes files in and makes items of them. */
  take(chosen: readonly Chosen[]): Item[] {
    return chosen.map(({ file, handle }) => {
      const id = newViewerId();
      this.files.set(id, file);
      if (handle) void keepHandle(id, handle);
      return { id, name: file.name, size: file.size, modified: file.lastModified };
    });
  }

  /** Forgets all but these. */
  keep(ids: readonly string[]): void {
    for (const id of this.files.keys()) if (!ids.includes(id)) this.files.delete(id);
    void keepOnly(ids);
  }

  /** Opens kept handles, after a click; tells which files are there, and are still what they were. */
  async reopen(items: readonly Item[]): Promise<string[]> {
    const there: string[] = [];
    for (const item of items) {
      const chosen = await reopen(item.id);
      if (!chosen || !isSame(item, described(chosen.file))) continue;
      this.files.set(item.id, chosen.file);
      there.push(item.id);
    }
    return there;
  }

  /** Matches files that were chosen again with the remembered ones. */
  match(
    items: readonly Item[],
    on: string | undefined,
    chosen: readonly File[],
  ): { ids: string[]; difference?: string } {
    const ids: string[] = [];
    for (const item of items) {
      const file = chosen.find((f) => isSame(item, described(f)));
      if (!file) continue;
      this.files.set(item.id, file);
      ids.push(item.id);
    }
    const missing = items.find((i) => i.id === on && !ids.includes(i.id));
    const first = chosen[0];
    const words = missing && first ? difference(missing, described(first)) : undefined;
    return { ids, ...(words === undefined ? {} : { difference: words }) };
  }
}

function described(file: File): Pick<Item, 'name' | 'size' | 'modified'> {
  return { name: file.name, size: file.size, modified: file.lastModified };
}
