// The keyboard of the watch page: what keys do. What the help says of them is in key-list.tsx.

export type Command =
  | 'pause'
  | 'mute'
  | 'full-screen'
  | 'picture'
  | 'figures'
  | 'help'
  | 'louder'
  | 'quieter'
  | 'close';

export interface Key {
  keys: readonly string[];
  command: Command;
}

export const KEYS: readonly Key[] = [
  { keys: [' ', 'k'], command: 'pause' },
  { keys: ['m'], command: 'mute' },
  { keys: ['ArrowUp'], command: 'louder' },
  { keys: ['ArrowDown'], command: 'quieter' },
  { keys: ['f'], command: 'full-screen' },
  { keys: ['p'], command: 'picture' },
  { keys: ['i'], command: 'figures' },
  { keys: ['?'], command: 'help' },
  { keys: ['Escape'], command: 'close' },
];

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** What kind of element has the focus: some keys belong to it. */
export type Target = 'none' | 'button' | 'range' | 'text';

/** The command of a key press; undefined when the key belongs to the browser or to the element in focus. */
export function commandFor(press: KeyPress, target: Target): Command | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey || target === 'text') return undefined;
  if (target === 'button' && (press.key === ' ' || press.key === 'Enter')) return undefined;
  if (target === 'range' && press.key.startsWith('Arrow')) return undefined;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  return KEYS.find((k) => k.keys.includes(key))?.command;
}

export function targetOf(element: EventTarget | null): Target {
  if (!(element instanceof HTMLElement)) return 'none';
  if (element instanceof HTMLInputElement) return element.type === 'range' ? 'range' : 'text';
  if (element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement || element.isContentEditable)
    return 'text';
  return element.closest('button, a, summary') ? 'button' : 'none';
}
