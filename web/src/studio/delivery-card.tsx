// How viewers get it: the choice, what it comes to now, and what each viewer has.

import { capital } from '../ui/capital';
import { Fold } from '../ui/fold';
import { bitrate, count } from '../ui/format';
import { Notice } from '../ui/layout';
import type { StudioController } from './controller';
import { delayWords, depthWords, OPTIONS, placeWords, showsAddresses } from './delivery-words';

export function DeliveryCard({ studio }: { studio: StudioController }) {
  const { topology: chosen } = studio.state.value;
  return (
    <Fold title="How viewers get it" note={OPTIONS.find((o) => o.topology === chosen)?.title} data-testid="delivery">
      <fieldset class="ways">
        <legend class="said">How viewers get it</legend>
        {OPTIONS.map(({ topology, title, text }) => (
          <label key={topology}>
            <input
              type="radio"
              name="topology"
              checked={chosen === topology}
              data-testid={`topology-${topology}`}
              onChange={() => studio.feed({ kind: 'topology', topology })}
            />
            <span>
              {title}
              <span class="quiet small">{text}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {showsAddresses(chosen) ? (
        <Notice tone="info" title="Direct ways show addresses.">
          You and the viewers at the other end of a direct way learn each other’s network address, as in a video call.
          By the server nobody does.
        </Notice>
      ) : null}
      <Now studio={studio} />
    </Fold>
  );
}

/** What it means at this moment. */
function Now({ studio }: { studio: StudioController }) {
  const plan = studio.delivery.plan.value;
  const { live } = studio.state.value;
  if (!plan || !live) return <p class="quiet small">You can change it at any moment; viewers keep their picture.</p>;
  const total = studio.delivery.total.value;
  return (
    <div class="ways-now figures" data-testid="delivery-now" data-topology={plan.topology} data-depth={plan.depth}>
      <p data-testid="delivery-why">{plan.why}</p>
      <dl>
        <dt>My upload</dt>
        <dd data-testid="delivery-upload">{bitrate(total.bitrateOut)}</dd>
        <dt>Pictures encoded here</dt>
        <dd data-testid="delivery-encodes">{total.encodes}</dd>
        <dt>Without the server</dt>
        <dd data-testid="delivery-depth">{depthWords(plan)}</dd>
      </dl>
      <Places studio={studio} />
    </div>
  );
}

function Places({ studio }: { studio: StudioController }) {
  const places = studio.delivery.plan.value?.places ?? [];
  const people = studio.state.value.roster.filter((p) => p.role === 'subscriber').map((p) => p.endpoint);
  const name = (endpoint: string): string => {
    const at = people.indexOf(endpoint);
    return at < 0 ? 'a viewer' : `viewer ${at + 1}`;
  };
  if (places.length === 0) return <p class="quiet small">Nobody watches yet.</p>;
  return (
    <ul class="people" aria-label={count(places.length, 'viewer', 'viewers')}>
      {places.map((place) => (
        <li
          key={place.endpoint}
          data-testid="delivery-viewer"
          data-endpoint={place.endpoint}
          data-via={place.via}
          data-relays={place.relays}
        >
          <span>{capital(name(place.endpoint))}</span>
          <span class="quiet small">{placeWords(place, name)}</span>
          <span class="figure small">{delayWords(place)}</span>
        </li>
      ))}
    </ul>
  );
}
