// What came of it: the figures, the pairs, whether they are to be believed, and all of it as files.

import { Button } from '../ui/controls';
import { download } from '../ui/download';
import { Notice } from '../ui/layout';
import { Chart, Mark } from './chart';
import type { CompareController } from './controller';
import { leftOutWords } from './course';
import { DeviceTable } from './device-table';
import type { Gathered } from './experiment';
import { FigureCells, FigureTable } from './figure-table';
import type { Difference } from './figures';
import { WORDS } from './plan';
import {
  type About,
  BY_DEVICES,
  csvOf,
  HEADS,
  hopWords,
  htmlOf,
  jsonOf,
  METHOD,
  ms,
  pairedWords,
  type Result,
  resultOf,
  wayCells,
} from './result';

export function Outcome({ compare }: { compare: CompareController }) {
  const gathered = compare.gathered.value;
  if (!gathered) return null;
  const result = resultOf(gathered);
  return (
    <div
      class="stack compare"
      data-testid="result"
      data-valid={result.invalid.length === 0}
      data-lateness={result.lateness}
    >
      <section class="card stack">
        <h1 tabIndex={-1}>The result</h1>
        <Validity result={result} />
        {gathered.leftOut.map((one) => (
          <Notice key={one.way}>{leftOutWords(one)}</Notice>
        ))}
        <Table result={result} />
        <Pairs result={result} />
        <Devices result={result} />
        {result.ways.length > 0 ? <Chart curves={compare.live.curves.value} /> : null}
        <Save gathered={gathered} />
        <div class="row">
          <Button variant="primary" data-testid="again" onClick={() => compare.again()}>
            Compare again
          </Button>
        </div>
      </section>
      <section class="card stack">
        <h2>How it was measured</h2>
        {METHOD.map((line) => (
          <p key={line} class="quiet">
            {line}
          </p>
        ))}
      </section>
    </div>
  );
}

function Validity({ result }: { result: Result }) {
  const late = result.lateness;
  if (result.ways.length === 0) {
    return (
      <Notice tone="warn" title="There are no figures.">
        {result.invalid.join(' ')} What there is of samples can be saved.
      </Notice>
    );
  }
  if (result.invalid.length > 0) {
    return (
      <Notice tone="warn" title="These figures are invalid.">
        {result.invalid.join(' ')} They are shown and saved all the same.
      </Notice>
    );
  }
  return (
    <Notice tone="good" title="These figures are valid.">
      Timers of this machine were {late === undefined ? '–' : ms(late)} late in the 99th percentile.
    </Notice>
  );
}

function Table({ result }: { result: Result }) {
  if (result.ways.length === 0) return null;
  return (
    <FigureTable label="Figures of each way" heads={HEADS}>
      {result.ways.map((f) => (
        <tr key={f.way} data-testid="way" data-way={f.way} data-pictures={f.pictures} data-median={f.median}>
          <th scope="row">
            <Mark way={f.way} /> {WORDS[f.way].title}
          </th>
          <FigureCells heads={HEADS} cells={wayCells(f, result)} />
        </tr>
      ))}
    </FigureTable>
  );
}

function Pairs({ result }: { result: Result }) {
  if (result.paired.length === 0 && !result.hop) return null;
  return (
    <div class="stack">
      <h2>The same pictures on two ways</h2>
      {result.paired.map((p) => (
        <p key={p.other} data-testid="paired" data-base={p.base} data-other={p.other} {...dataOf(p)}>
          {pairedWords(p)}
        </p>
      ))}
      {result.hop ? (
        <p data-testid="hop" data-work={result.work} {...dataOf(result.hop)}>
          {hopWords(result.hop, result.work)}
        </p>
      ) : null}
    </div>
  );
}

/** A difference for those who read the page by a program. */
function dataOf({ pairs, mean, median, low, high, confidence }: Difference) {
  return {
    'data-pairs': pairs,
    'data-mean': mean,
    'data-median': median,
    'data-low': low,
    'data-high': high,
    'data-confidence': confidence,
  };
}

function Devices({ result }: { result: Result }) {
  if (result.devices.length === 0) return null;
  return (
    <div class="stack">
      <h2>Further devices</h2>
      <DeviceTable devices={result.devices} />
      <p class="quiet">{BY_DEVICES}</p>
    </div>
  );
}

function Save({ gathered }: { gathered: Gathered }) {
  const name = `fanfare-comparison-${gathered.began.slice(0, 19).replaceAll(':', '-')}`;
  const about: About = {
    browser: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    page: window.location.origin,
  };
  return (
    <div class="row">
      <Button data-testid="save-html" onClick={() => download(`${name}.html`, 'text/html', htmlOf(gathered, about))}>
        Save the report
      </Button>
      <Button
        data-testid="save-json"
        onClick={() => download(`${name}.json`, 'application/json', jsonOf(gathered, about))}
      >
        Samples (JSON)
      </Button>
      <Button data-testid="save-csv" onClick={() => download(`${name}.csv`, 'text/csv', csvOf(gathered))}>
        Samples (CSV)
      </Button>
    </div>
  );
}
