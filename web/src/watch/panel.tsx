// What is in the side panel: figures, which are what the page itself knows of the picture and what the connection
// tells, or the list of keys.

import { useEffect } from 'preact/hooks';
import { FiguresPanel } from '../ui/figures';
import type { WatchController } from './controller';
import { GlassFigures } from './glass-figures';
import { KeyList } from './key-list';
import { QualityFigures } from './quality-figures';
import { WayFigures } from './way';

export function Inside({ watch, panel }: { watch: WatchController; panel: 'figures' | 'help' }) {
  if (panel === 'help') return <KeyList />;
  return (
    <FiguresPanel
      figures={watch.figures.value}
      peer={watch.way.value.shown.at === 'peer'}
      first={<Own watch={watch} />}
    />
  );
}

/** What the page itself knows. The pictures are read as long as somebody looks. */
function Own({ watch }: { watch: WatchController }) {
  useEffect(() => {
    watch.glass.look(true);
    return () => watch.glass.look(false);
  }, [watch]);
  return (
    <>
      <GlassFigures watch={watch} />
      <WayFigures watch={watch} />
      <QualityFigures watch={watch} />
    </>
  );
}
