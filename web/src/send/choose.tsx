// Choosing what to send: files, a folder, a text; dropped, pasted or picked.

import { useEffect, useRef, useState } from 'preact/hooks';
import { MAX_TEXT } from '../mesh/manifest';
import { Button, Field } from '../ui/controls';
import { FolderIcon, PaperIcon } from '../ui/icons';
import { Notice, Page } from '../ui/layout';
import { lacking } from '../ui/secure';
import { CodeForm } from './code-form';
import { type Chosen, ofDrop, ofInput } from './collect';
import type { SendController } from './controller';
import { EarlierList } from './earlier';
import { canPick, droppedHandles, type Picked, pick } from './handles';
import { FileInput } from './inputs';

export function Choose({ send }: { send: SendController }) {
  const { problem } = send.state.value;
  const lack = lacking();
  return (
    <Page narrow>
      {lack ? null : <EarlierList send={send} />}
      <section class="invite" aria-labelledby="invite">
        <h1 id="invite">Drop files here</h1>
        <p class="quiet">
          They go from this browser straight to whoever opens your link. Nothing is uploaded first, and the server sees
          neither names nor content.
        </p>
        {lack ? (
          <Notice tone="bad" title={lack.title}>
            {lack.advice}
          </Notice>
        ) : (
          <Pickers send={send} />
        )}
        {problem ? <Notice tone="bad" title={problem} /> : null}
      </section>
      {lack ? null : (
        <div class="stack">
          <TextForm send={send} />
          <CodeForm />
        </div>
      )}
    </Page>
  );
}

function Pickers({ send }: { send: SendController }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (chosen: Chosen[]): void => void send.share({ chosen, handles: [] }, '');
  // Where the browser gives handles, a reload finds the files again by itself.
  const ask = (what: 'files' | 'folder', input: HTMLInputElement | null): void => {
    if (canPick()) void send.take(pick(what));
    else input?.click();
  };
  return (
    <div class="row">
      <Button
        variant="primary"
        large
        icon={<PaperIcon />}
        data-testid="choose-files"
        onClick={() => ask('files', files.current)}
      >
        Choose files
      </Button>
      <Button large icon={<FolderIcon />} data-testid="choose-folder" onClick={() => ask('folder', folder.current)}>
        A folder
      </Button>
      <FileInput input={files} testid="file-input" onChoose={take} />
      <FileInput input={folder} folder testid="folder-input" onChoose={take} />
    </div>
  );
}

function TextForm({ send }: { send: SendController }) {
  const [text, setText] = useState('');
  const tooLong = new TextEncoder().encode(text).length > MAX_TEXT;
  return (
    <form
      class="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (text !== '' && !tooLong) void send.share({ chosen: [], handles: [] }, text);
      }}
    >
      <Field
        label="Or send a text"
        hint="An address, a note, a password: it travels the same sealed way."
        error={tooLong ? 'That is too long; send it as a file.' : undefined}
      >
        {(props) => (
          <textarea
            {...props}
            class="input"
            rows={3}
            value={text}
            data-testid="text"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <div>
        <Button submit disabled={text === '' || tooLong} data-testid="share-text">
          Send this text
        </Button>
      </div>
    </form>
  );
}

/** Takes what is dropped anywhere on the page, or pasted, and says so while files are above it. */
export function DropVeil({ send }: { send: SendController }) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  useEffect(() => {
    const listen = new AbortController();
    const { signal } = listen;
    const isOpen = (): boolean => send.state.value.phase === 'empty' && !lacking();
    const on = (name: 'dragenter' | 'dragover' | 'dragleave' | 'drop', hear: (event: DragEvent) => void): void => {
      const guarded = (event: DragEvent): void => {
        if (event.dataTransfer?.types.includes('Files')) hear(event);
      };
      window.addEventListener(name, guarded, { signal });
    };
    // Enter and leave come for every element on the way; only the difference tells.
    const count = (by: number): void => {
      depth.current = Math.max(0, depth.current + by);
      setOver(depth.current > 0 && isOpen());
    };
    on('dragenter', () => count(1));
    on('dragleave', () => count(-1));
    on('dragover', (event) => event.preventDefault());
    on('drop', (event) => {
      event.preventDefault();
      depth.current = 0;
      setOver(false);
      if (event.dataTransfer && isOpen()) void send.take(dropped(event.dataTransfer));
    });
    const paste = (event: ClipboardEvent): void => {
      const files = ofInput(event.clipboardData?.files ?? []);
      if (files.length > 0 && isOpen()) void send.share({ chosen: files, handles: [] }, '');
    };
    window.addEventListener('paste', paste, { signal });
    return () => listen.abort();
  }, [send]);
  if (!over) return null;
  return (
    <div class="drop-veil" aria-hidden="true">
      <p>
        <PaperIcon size={40} />
        Drop to send
      </p>
    </div>
  );
}

/** Must be called inside the drop event. */
async function dropped(data: DataTransfer): Promise<Picked> {
  const [chosen, handles] = await Promise.all([ofDrop(data), droppedHandles(data)]);
  return { chosen, handles };
}
