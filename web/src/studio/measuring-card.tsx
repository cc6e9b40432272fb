// The switches for those who measure and compare.

import { failedWords } from '../topology/record';
import { Button, Switch } from '../ui/controls';
import { download } from '../ui/download';
import type { StudioController } from './controller';

export function MeasuringSwitches({ studio }: { studio: StudioController }) {
  const { measuring } = studio;
  const state = measuring.httpState.value;
  return (
    <div class="stack">
      <div>
        <Switch checked={measuring.time.value} testid="measure" onChange={(on) => measuring.showTime(on)}>
          Show the time in the picture
        </Switch>
        <p class="quiet small">
          A strip of black and white squares over the top, by which viewers’ pages tell how long the picture is on its
          way. Keep this tab in view meanwhile.
        </p>
      </div>
      <div data-http={state.kind}>
        <Switch checked={measuring.http.value} testid="by-http" onChange={(on) => measuring.sendByHttp(on)}>
          Send it by plain HTTP too
        </Switch>
        <p class="quiet small">
          For viewers whose network lets no live video through; they see it about a second later. This computer encodes
          the picture once more and sends it twice.
        </p>
        {state.kind === 'failed' ? <p class="small">{failedWords(state)}</p> : null}
      </div>
      {studio.figures.value ? (
        <div class="row">
          <Button onClick={() => save(studio)}>Save the samples</Button>
        </div>
      ) : null}
    </div>
  );
}

function save(studio: StudioController): void {
  const about = { page: 'studio', browser: navigator.userAgent };
  download('fanfare-upload-samples.json', 'application/json', studio.measuring.log.json(about));
}
