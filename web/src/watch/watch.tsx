// The watch page: header, stage, and what is said below it.

import { useEffect, useState } from 'preact/hooks';
import { Button } from '../ui/controls';
import { count } from '../ui/format';
import { CheckIcon, LinkIcon, ViewersIcon } from '../ui/icons';
import { Announcer, Top } from '../ui/layout';
import type { WatchController } from './controller';
import { canInvite, hasControls, spoken } from './scene';
import { Stage } from './stage';

export function Watch({ watch, embedded }: { watch: WatchController; embedded: boolean }) {
  const title = watch.state.value?.title || '';
  useEffect(() => {
    document.title = title ? `${title} – Fanfare` : 'Fanfare';
  }, [title]);
  return (
    <>
      <Announcer text={spoken(watch.scene.value)} />
      {embedded ? null : (
        <Top>
          <Viewers watch={watch} />
        </Top>
      )}
      <main class={embedded ? 'theatre embedded' : 'theatre'}>
        <Stage watch={watch} />
        {embedded ? (
          <a class="embedded-mark" href={window.location.pathname} target="_blank" rel="noopener">
            Fanfare
          </a>
        ) : (
          <div class="below">
            <h1>{title || 'Shared with Fanfare'}</h1>
            {canInvite(watch.scene.value) ? <CopyLink /> : null}
          </div>
        )}
      </main>
    </>
  );
}

function Viewers({ watch }: { watch: WatchController }) {
  const n = watch.viewers.value;
  // Where nothing is to be watched nobody watches, and who reads "0 viewers" while watching doubts the page.
  if (!n || !hasControls(watch.scene.value)) return null;
  return (
    <span class="viewers figure" data-viewers={n}>
      <ViewersIcon size={20} />
      <span>{count(n, 'viewer', 'viewers')}</span>
    </span>
  );
}

function CopyLink() {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 2_500);
    return () => clearTimeout(timer);
  }, [done]);
  const url = window.location.origin + window.location.pathname;
  // Plain-HTTP pages on a LAN have no clipboard: the address bar has the link as well.
  if (!navigator.clipboard) return null;
  return (
    <Button
      icon={done ? <CheckIcon size={18} /> : <LinkIcon size={18} />}
      onClick={() =>
        navigator.clipboard.writeText(url).then(
          () => setDone(true),
          () => undefined,
        )
      }
    >
      {done ? 'Link copied' : 'Copy link'}
    </Button>
  );
}
