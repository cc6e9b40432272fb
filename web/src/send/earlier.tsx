// What was shared before a reload: it goes on under the same link by one click, with the same files.

import { useRef } from 'preact/hooks';
import { Button } from '../ui/controls';
import { count, moment } from '../ui/format';
import { Notice } from '../ui/layout';
import { alone, inFolder } from './again';
import type { Chosen } from './collect';
import type { SendController } from './controller';
import { FileInput } from './inputs';
import { titleOf } from './send';
import type { Earlier } from './state';

export function EarlierList({ send }: { send: SendController }) {
  const { earlier } = send.state.value;
  if (earlier.length === 0) return null;
  return (
    <section class="card stack" aria-labelledby="earlier-title" data-testid="earlier">
      <h2 id="earlier-title">Shared before</h2>
      <ul class="people">
        {earlier.map((one) => (
          <Row key={one.room} send={send} one={one} />
        ))}
      </ul>
    </section>
  );
}

function Row({ send, one }: { send: SendController; one: Earlier }) {
  const { room, entries, expires, guests, ready, problem } = one;
  const busy = send.state.value.continuing === room;
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (chosen: Chosen[]): void => void send.continue(room, chosen);
  const inside = inFolder(entries);
  const go = (): void => {
    if (ready) void send.continue(room);
    else (alone(entries) ? files : folder).current?.click();
  };
  return (
    <li data-testid="earlier-one">
      <p>
        <b class="name">{titleOf(one)}</b>
      </p>
      <p class="quiet small">
        The link works until {moment(expires)}. {guests > 0 ? `${count(guests, 'receiver', 'receivers')} let in. ` : ''}
        {ready
          ? ''
          : `To go on, choose the same ${inside ? 'folder' : 'file'} again: it is compared with what was shared.`}
      </p>
      {problem ? <Notice tone="bad" title={problem} /> : null}
      <div class="row">
        <Button variant="primary" busy={busy} data-testid="continue" onClick={go}>
          Continue with {nameOf(one)}
        </Button>
        {!ready && inside && alone(entries) ? (
          <Button data-testid="continue-folder" onClick={() => folder.current?.click()}>
            Choose the folder
          </Button>
        ) : null}
        <Button variant="ghost" data-testid="forget" onClick={() => void send.forget(room)}>
          Forget it
        </Button>
      </div>
      <FileInput input={files} testid="again-files" onChoose={take} />
      <FileInput input={folder} folder testid="again-folder" onChoose={take} />
    </li>
  );
}

/** "holiday.bin", "3 files", "photos", "the text". */
function nameOf({ entries }: Earlier): string {
  const [first, ...rest] = entries;
  if (!first) return 'the text';
  const top = first.path.split('/')[0] ?? '';
  const all = rest.every((entry) => entry.path.startsWith(`${top}/`));
  return all ? top : count(entries.length, 'file', 'files');
}
