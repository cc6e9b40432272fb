// The list of files: which one is on, which come next, and why one cannot be played.

import type { Item } from '../media/queue';
import { Badge, Button, IconButton } from '../ui/controls';
import { bytes } from '../ui/format';
import { CloseIcon, PlusIcon, WarningIcon } from '../ui/icons';
import type { StudioController } from './controller';

export function QueueCard({ studio }: { studio: StudioController }) {
  const { queue, kind } = studio.state.value;
  if (queue.items.length === 0) return null;
  return (
    <section class="card queue" data-testid="queue" aria-labelledby="queue-title">
      <div class="row head">
        <h2 id="queue-title">List</h2>
        <Button
          icon={<PlusIcon size={18} />}
          data-testid="queue-add"
          onClick={() => void studio.pick(() => document.querySelector<HTMLInputElement>('#files')?.click())}
        >
          Add files
        </Button>
      </div>
      <ol>
        {queue.items.map((item, i) => (
          <Row
            key={item.id}
            studio={studio}
            item={item}
            on={kind === 'file' && queue.current === item.id}
            first={i === 0}
            last={i === queue.items.length - 1}
          />
        ))}
      </ol>
    </section>
  );
}

interface RowProps {
  studio: StudioController;
  item: Item;
  on: boolean;
  first: boolean;
  last: boolean;
}

function Row({ studio, item, on, first, last }: RowProps) {
  return (
    <li
      class={on ? 'on' : ''}
      data-testid="queue-item"
      data-name={item.name}
      data-refused={item.refused !== undefined}
      aria-current={on}
    >
      <button
        type="button"
        class="name"
        data-testid="queue-play"
        disabled={item.refused !== undefined}
        onClick={() => studio.feed({ kind: 'picked', id: item.id })}
      >
        <span class="file-name">{item.name}</span>
        {item.refused ? (
          <span class="why small">
            <WarningIcon size={16} /> {item.refused}
          </span>
        ) : (
          <span class="quiet small">{on ? <Badge>On now</Badge> : bytes(item.size)}</span>
        )}
      </button>
      <div class="tools">
        <IconButton
          label={`Move “${item.name}” up`}
          disabled={first}
          data-testid="queue-up"
          onClick={() => studio.feed({ kind: 'moved', id: item.id, by: -1 })}
        >
          <Arrow up />
        </IconButton>
        <IconButton
          label={`Move “${item.name}” down`}
          disabled={last}
          data-testid="queue-down"
          onClick={() => studio.feed({ kind: 'moved', id: item.id, by: 1 })}
        >
          <Arrow />
        </IconButton>
        <IconButton
          label={`Take “${item.name}” off the list`}
          data-testid="queue-remove"
          onClick={() => studio.feed({ kind: 'removed', id: item.id })}
        >
          <CloseIcon size={18} />
        </IconButton>
      </div>
    </li>
  );
}

function Arrow({ up }: { up?: boolean }) {
  return (
    <svg
      width="18"
      height="18"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      aria-hidden="true"
    >
      <path d={up ? 'M6 14.5l6-6 6 6' : 'M6 9.5l6 6 6-6'} stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
