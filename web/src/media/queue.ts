// The list of files: order, which one is on, loop, and which cannot be played. Pure; every
// function gives a new list. The files themselves are kept elsewhere, by id.

/** What is remembered of a file: enough to know it again after a reload. */
export interface Item {
  id: string;
  name: string;
  size: number; // bytes
  modified: number; // ms since the epoch
  /** Why this browser cannot play it. */
  refused?: string;
}

export interface Queue {
  items: readonly Item[];
  /** The id of the file that is on, undefined when the list is empty. */
  current: string | undefined;
  loop: boolean;
}

export const emptyQueue: Queue = { items: [], current: undefined, loop: false };

/** More than anybody lists by hand; it bounds what is kept for a reload. */
export const MAX_ITEMS = 200;

/** How many of that many files find no room on the list any more. */
export function surplus(queue: Queue, count: number): number {
  return Math.max(0, queue.items.length + count - MAX_ITEMS);
}

export function add(queue: Queue, items: readonly Item[]): Queue {
  const all = [...queue.items, ...items].slice(0, MAX_ITEMS);
  return { ...queue, items: all, current: queue.current ?? all[0]?.id };
}

/** Without this file. When it was on, the one after it is on, else the one before it. */
export function remove(queue: Queue, id: string): Queue {
  const at = indexOf(queue, id);
  if (at < 0) return queue;
  const items = queue.items.filter((i) => i.id !== id);
  const current = queue.current === id ? (items[at] ?? items[at - 1])?.id : queue.current;
  return { ...queue, items, current };
}

/** Moves a file by that many places, at most to an end of the list. */
export function move(queue: Queue, id: string, by: number): Queue {
  const from = indexOf(queue, id);
  const item = queue.items[from];
  if (!item) return queue;
  const items = queue.items.filter((i) => i.id !== id);
  items.splice(Math.min(items.length, Math.max(0, from + by)), 0, item);
  return { ...queue, items };
}

export function pick(queue: Queue, id: string): Queue {
  return indexOf(queue, id) < 0 ? queue : { ...queue, current: id };
}

/** What is played when a list that is over goes on: what has come to it since, else its first file. */
export function afterEnd(queue: Queue): Item | undefined {
  return neighbour(queue, 1) ?? queue.items.find((i) => i.refused === undefined);
}

export function refuse(queue: Queue, id: string, reason: string): Queue {
  return { ...queue, items: queue.items.map((i) => (i.id === id ? { ...i, refused: reason } : i)) };
}

export function current(queue: Queue): Item | undefined {
  return queue.items.find((i) => i.id === queue.current);
}

/**
 * The playable file that follows (step 1) or precedes (step -1) the one that is on. With loop
 * the list has no ends, and a list with one playable file is followed by itself.
 */
export function neighbour(queue: Queue, step: 1 | -1): Item | undefined {
  const count = queue.items.length;
  const at = indexOf(queue, queue.current);
  for (let far = 1; far <= count; far++) {
    const index = at + step * far;
    const item = queue.loop ? queue.items[(index + count * 2) % count] : queue.items[index];
    if (!item) return undefined;
    if (item.refused === undefined) return item;
  }
  return undefined;
}

/** Whether this file is the one that was remembered. Some systems keep whole seconds only. */
export function isSame(item: Pick<Item, 'name' | 'size' | 'modified'>, file: Pick<Item, 'name' | 'size' | 'modified'>) {
  return item.name === file.name && item.size === file.size && Math.abs(item.modified - file.modified) < 2000;
}

/** What is another about this file than about the remembered one, in words. */
export function difference(item: Item, file: Pick<Item, 'name' | 'size' | 'modified'>): string | undefined {
  if (isSame(item, file)) return undefined;
  if (item.name !== file.name) return `This is “${file.name}”. The stream was showing “${item.name}”.`;
  if (item.size !== file.size) return `This “${file.name}” has another size than the one that was on.`;
  return `“${file.name}” has been changed since it was on.`;
}

function indexOf(queue: Queue, id: string | undefined): number {
  return queue.items.findIndex((i) => i.id === id);
}
