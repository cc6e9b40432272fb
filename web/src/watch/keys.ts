// The keyboard of the watch page: one table for what keys do and for the help that lists them.

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
  shown: string;
  command: Command;
  words: string;
}

export const KEYS: readonly Key[] = [
  { keys: [' ', 'k'], shown: 'Space', command: 'pause', words: 'Pause, or go on with what is live' },
  { keys: ['m'], shown: 'M', command: 'mute', words: 'Sound on or off' },
  { keys: ['ArrowUp'], shown: '↑', command: 'louder', words: 'Louder' },
  { keys: ['ArrowDown'], shown: '↓', command: 'quieter', words: 'Quieter' },
  { keys: ['f'], shown: 'F', command: 'full-screen', words: 'Full screen' },
  { keys: ['p'], shown: 'P', command: 'picture', words: 'Picture in picture' },
  { keys: ['i'], shown: 'I', command: 'figures', words: 'Figures of the connection' },
  { keys: ['?'], shown: '?', command: 'help', words: 'This list' },
  { keys: ['Escape'], shown: 'Esc', command: 'close', words: 'Close a panel' },
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
