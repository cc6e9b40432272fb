// The list of files: names and sizes, what is wanted, and saving single ones.

import { Button, IconButton } from '../ui/controls';
import { bytes } from '../ui/format';
import { DownloadIcon, FolderIcon, PaperIcon, PlayIcon } from '../ui/icons';
import { More } from '../ui/more';
import type { ReceiveController } from './controller';
import { canPlay } from './screen';

/** So many are listed before somebody wants to see more. */
const LISTED = 300;

export function FileList({ receive }: { receive: ReceiveController }) {
  const { manifest, phase, wanted, again } = receive.state.value;
  const files = manifest?.files ?? [];
  const choosing = phase === 'offered' && !again;
  const shown = [...files.entries()].filter(([i]) => choosing || wanted.has(i));
  return (
    <div class="stack list">
      {choosing && files.length > 1 ? (
        <div class="row">
          <Button
            variant="ghost"
            data-testid="choose-all"
            onClick={() => receive.chooseAll(wanted.size < files.length)}
          >
            {wanted.size < files.length ? 'Choose all' : 'Choose none'}
          </Button>
        </div>
      ) : null}
      <More total={shown.length} step={LISTED}>
        {(most) => (
          <ul class="files" data-testid="files">
            {shown.slice(0, most).map(([i]) => (
              <Row key={i} receive={receive} index={i} />
            ))}
          </ul>
        )}
      </More>
    </div>
  );
}

function Row({ receive, index }: { receive: ReceiveController; index: number }) {
  const { manifest, phase, wanted, saved, placed, again, playing } = receive.state.value;
  const entry = manifest?.files[index];
  if (!entry) return null;
  const folder = entry.path.endsWith('/');
  const name = (
    <>
      {folder ? <FolderIcon size={20} /> : <PaperIcon size={20} />}
      <span class="path">{entry.path}</span>
      <span class="quiet small figure size">{folder ? 'empty folder' : bytes(entry.size)}</span>
    </>
  );
  return (
    <li tabIndex={-1} data-testid="file" data-path={entry.path}>
      {phase === 'offered' && !again ? (
        <label class="line">
          <input
            type="checkbox"
            checked={wanted.has(index)}
            data-testid="pick"
            onChange={(event) => receive.choose(index, event.currentTarget.checked)}
          />
          {name}
        </label>
      ) : (
        <div class="line">
          {name}
          {!again && canPlay(entry.path, placed) && playing?.file !== index ? (
            <IconButton label={`Play ${entry.path}`} data-testid="play" onClick={() => void receive.play(index)}>
              <PlayIcon size={20} />
            </IconButton>
          ) : null}
          {phase === 'done' && !folder && !placed ? (
            <IconButton
              label={`Save ${entry.path}${saved.has(index) ? ' again' : ''}`}
              onClick={() => receive.save(index)}
            >
              <DownloadIcon size={20} />
            </IconButton>
          ) : null}
        </div>
      )}
    </li>
  );
}
