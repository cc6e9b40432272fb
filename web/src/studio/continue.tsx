// After a reload while live: how to go on, with one click where the browser lets us.

import { useRef } from 'preact/hooks';
import { Button } from '../ui/controls';
import { clock } from '../ui/format';
import { CameraIcon, FileIcon, PlayIcon, ScreenIcon } from '../ui/icons';
import { Notice } from '../ui/layout';
import type { StudioController } from './controller';
import type { Resume } from './state';

export function ContinueCard({ studio, resume }: { studio: StudioController; resume: Resume }) {
  const input = useRef<HTMLInputElement>(null);
  const choose = resume.how === 'choose';
  return (
    <section class="invitation" data-testid="continue-card" aria-labelledby="continue-title">
      <div class="words">
        <h1 id="continue-title">{choose ? `Choose “${resume.name}” again` : 'Your viewers are waiting'}</h1>
        <p class="quiet">{wordsFor(resume)}</p>
      </div>
      {resume.difference ? (
        <Notice tone="warn" title="That is another file.">
          {resume.difference}
        </Notice>
      ) : null}
      <div class="row choices">
        <Button
          variant="primary"
          large
          icon={<Sign resume={resume} />}
          busy={resume.busy}
          data-testid="continue"
          onClick={() => (choose ? void studio.pick(() => input.current?.click()) : studio.feed({ kind: 'continue' }))}
        >
          {choose ? 'Choose the file' : `Continue with ${resume.name}`}
        </Button>
        {resume.difference ? (
          <Button large data-testid="continue-instead" onClick={() => studio.useInstead()}>
            Begin a new list with it
          </Button>
        ) : null}
      </div>
      <Button variant="ghost" data-testid="continue-discard" onClick={() => studio.feed({ kind: 'discard' })}>
        End the stream and begin anew
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="continue-input"
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = '';
          studio.addFiles(files.map((file) => ({ file })));
        }}
      />
    </section>
  );
}

function Sign({ resume }: { resume: Resume }) {
  if (resume.how === 'choose') return <FileIcon />;
  if (resume.kind === 'camera') return <CameraIcon />;
  return resume.kind === 'screen' ? <ScreenIcon /> : <PlayIcon />;
}

function wordsFor(resume: Resume): string {
  const wait =
    'The page was loaded anew while you were live. Viewers read “back in a moment”, and the link stays the same.';
  if (resume.kind !== 'file') return wait;
  const where = `It goes on at ${clock(resume.position)}.`;
  if (resume.how === 'click') return `${wait} ${where}`;
  const more =
    resume.queue.items.length > 1 ? ' Choose the other files of the list with it, if you want to keep them.' : '';
  return `${wait} Browsers do not let a page open a file again by itself. ${where}${more}`;
}
