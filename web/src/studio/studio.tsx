// The studio's page: what is shown, in which order, and the keys that work everywhere on it.

import { useEffect } from 'preact/hooks';
import { Badge, Button, IconButton } from '../ui/controls';
import { CloseIcon, MicrophoneIcon } from '../ui/icons';
import { Notice, Top } from '../ui/layout';
import { AccessCard } from './access';
import { ConnectionCard } from './connection';
import { ContinueCard } from './continue';
import type { StudioController } from './controller';
import { DeliveryCard } from './delivery-card';
import { Choices, DropZone, FileInput } from './drop';
import { CheckingKey, KeyForm } from './key-form';
import { Monitor } from './monitor';
import { OnAir } from './on-air';
import { PictureCard } from './picture';
import { QueueCard } from './queue';
import { RelayingCard } from './relaying-card';
import { showsNothing } from './select';
import { Share } from './share';
import { ViewersCard } from './viewers';

export function Studio({ studio }: { studio: StudioController }) {
  useSpace(studio);
  const { key } = studio.state.value;
  if (!studio.begun.value) return <Top />;
  return (
    <>
      <Top>{studio.phase.value === 'live' ? <Badge tone="live">Live</Badge> : null}</Top>
      {key.phase === 'good' ? (
        <Workspace studio={studio} />
      ) : key.phase === 'trying' && !key.typed ? (
        <CheckingKey studio={studio} />
      ) : (
        <KeyForm studio={studio} />
      )}
    </>
  );
}

function Workspace({ studio }: { studio: StudioController }) {
  const { resume, kind } = studio.state.value;
  return (
    <DropZone studio={studio}>
      <main class="page studio">
        <div class="main">
          <Message studio={studio} />
          {resume ? <ContinueCard studio={studio} resume={resume} /> : <Monitor studio={studio} />}
          <FileInput studio={studio} />
        </div>
        <aside class="side" aria-label="The stream">
          <OnAir studio={studio} />
          <Share studio={studio} />
        </aside>
        <div class="more">
          {kind && !resume && !showsNothing(studio.state.value) ? (
            <div class="row other">
              <span class="quiet small">Show something else:</span>
              <Choices studio={studio} />
            </div>
          ) : null}
          <QueueCard studio={studio} />
          <PictureCard studio={studio} />
          <DeliveryCard studio={studio} />
          <ViewersCard studio={studio} />
          <AccessCard studio={studio} />
          <ConnectionCard studio={studio} />
          <RelayingCard studio={studio} />
        </div>
      </main>
    </DropZone>
  );
}

function Message({ studio }: { studio: StudioController }) {
  const { note } = studio.state.value;
  if (!note) return null;
  return (
    <div class="message" data-testid="notice">
      <Notice tone={note.tone} title={note.title}>
        {note.advice}
        {note.action === 'microphone' ? (
          <div class="do">
            <Button
              icon={<MicrophoneIcon size={18} />}
              data-testid="microphone-again"
              onClick={() => studio.feed({ kind: 'chooseCamera' })}
            >
              Try the microphone again
            </Button>
          </div>
        ) : null}
      </Notice>
      <IconButton label="Close this note" data-testid="notice-close" onClick={() => studio.feed({ kind: 'dismiss' })}>
        <CloseIcon size={18} />
      </IconButton>
    </div>
  );
}

/** Space pauses, as in every player, unless it already means something where the focus is. */
function useSpace(studio: StudioController): void {
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      if (event.key !== ' ' || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target as Element | null;
      if (target?.closest('button, a, input, select, textarea, summary, dialog')) return;
      event.preventDefault();
      studio.feed({ kind: 'toggle' });
    };
    window.addEventListener('keydown', hear);
    return () => window.removeEventListener('keydown', hear);
  }, [studio]);
}
