// How the connection does, why it is not better, and its figures for those who want them.

import { Badge } from '../ui/controls';
import { FiguresPanel } from '../ui/figures';
import { Fold } from '../ui/fold';
import type { StudioController } from './controller';
import { MeasuringSwitches } from './measuring-card';

const WORDS = { good: 'Good', fair: 'Could be better', bad: 'Bad' } as const;
const TONES = { good: 'good', fair: 'warn', bad: 'bad' } as const;

export function ConnectionCard({ studio }: { studio: StudioController }) {
  const { live, path } = studio.state.value;
  const measured = live && path === 'connected' && studio.figures.value !== undefined;
  const health = studio.health.value;
  const level = measured ? health.level : 'none';
  return (
    <Fold
      title="Connection"
      note={measured ? <Badge tone={TONES[health.level]}>{WORDS[health.level]}</Badge> : 'When live'}
      data-testid="figures-toggle"
    >
      <div data-testid="health" data-level={level}>
        <p data-testid="health-why">{measured ? health.title : 'There is no connection to measure yet.'}</p>
        {measured && health.advice ? <p class="quiet small">{health.advice}</p> : null}
      </div>
      <MeasuringSwitches studio={studio} />
      {measured ? (
        <div data-testid="figures">
          <FiguresPanel figures={studio.figures.value} />
        </div>
      ) : null}
    </Fold>
  );
}
