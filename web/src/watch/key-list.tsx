// The help: what each key does, in words.

import { type Command, KEYS } from './keys';

const WORDS: Record<Command, readonly [shown: string, words: string]> = {
  pause: ['Space', 'Pause, or go on with what is live'],
  mute: ['M', 'Sound on or off'],
  louder: ['↑', 'Louder'],
  quieter: ['↓', 'Quieter'],
  'full-screen': ['F', 'Full screen'],
  picture: ['P', 'Picture in picture'],
  figures: ['I', 'Figures of the connection'],
  help: ['?', 'This list'],
  close: ['Esc', 'Close a panel'],
};

export function KeyList() {
  return (
    <dl class="keys">
      {KEYS.map(({ command }) => (
        <div key={command}>
          <dt>
            <kbd>{WORDS[command][0]}</kbd>
          </dt>
          <dd>{WORDS[command][1]}</dd>
        </div>
      ))}
    </dl>
  );
}
