// What the server does with the stream, for those who want to know.

import { Facts } from '../ui/figures';
import { Fold } from '../ui/fold';
import { percent } from '../ui/format';
import type { StudioController } from './controller';
import { bars, dropped, recent, rows, swiftness } from './relaying';

export function RelayingCard({ studio }: { studio: StudioController }) {
  const heard = studio.state.value.relaying;
  const { delays } = recent(heard);
  return (
    <Fold title="Server" note={swiftness(delays) ?? 'When somebody watches'} data-testid="relaying">
      {heard.last ? (
        <div class="figures" data-testid="relaying-figures">
          <Facts rows={rows(heard)} />
          <section>
            <h3>Time in the server</h3>
            <Bars delays={delays} />
            <p class="quiet">Packets of all streams here, of late.</p>
          </section>
          <section data-testid="relaying-dropped">
            <h3>Not sent on</h3>
            {dropped(heard).length > 0 ? <Facts rows={dropped(heard)} /> : <p class="quiet">Nothing.</p>}
          </section>
        </div>
      ) : (
        <p class="quiet small">The server tells what it does every few seconds while somebody watches.</p>
      )}
    </Fold>
  );
}

function Bars({ delays }: { delays: readonly number[] }) {
  const list = bars(delays);
  if (list.length === 0) return <p class="quiet">Known in a few seconds.</p>;
  return (
    <ul class="bars" aria-label="Packets by the time that they are in the server" data-testid="relaying-delays">
      {list.map((bar) => (
        <li key={bar.label}>
          <span>{bar.label}</span>
          <span class={bar.share > 0 ? 'bar' : ''} style={{ '--share': String(bar.share) }} aria-hidden="true" />
          <span class="share">{percent(bar.share)}</span>
        </li>
      ))}
    </ul>
  );
}
