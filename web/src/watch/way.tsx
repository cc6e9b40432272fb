// Which way the picture comes, and whether it goes on from here.

import { Switch } from '../ui/controls';
import { Facts } from '../ui/figures';
import { count } from '../ui/format';
import type { WatchController } from './controller';
import { wayWords } from './way-words';

export function WayFigures({ watch }: { watch: WatchController }) {
  const { shown, inVain } = watch.way.value;
  const { passOn } = watch;
  const byHttp = watch.byHttp.value;
  const served = passOn.served.value;
  const peer = shown.at === 'peer' ? shown.facts : undefined;
  return (
    <section
      data-testid="way-figures"
      data-way={byHttp ? 'http' : (peer?.via ?? 'sfu')}
      data-relays={peer?.relays ?? 0}
    >
      <h3>Way of the picture</h3>
      <Facts
        rows={[
          ['It comes', wayWords(shown, byHttp)],
          ['Passed on to', served > 0 ? count(served, 'other viewer', 'other viewers') : undefined],
        ]}
      />
      {inVain ? (
        <p class="quiet small">A direct connection did not come up from this network. The server sends it instead.</p>
      ) : null}
      {peer ? (
        <p class="quiet small">On a direct way you and the other side see each other’s network address.</p>
      ) : null}
      <Switch testid="refuse-pass-on" checked={passOn.refuses.value} onChange={(refuses) => passOn.refuse(refuses)}>
        Do not pass this on from my device
      </Switch>
    </section>
  );
}
