import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type LaneFacts, Lanes } from './lanes';

interface Script {
  name: string;
  looks: (LaneFacts & { at: number; open: boolean; failed?: boolean })[];
}

// The looks of the Go half. Times are in ms.
const file = new URL('../../../../mesh/schedule/testdata/lanes.json', import.meta.url);
const scripts = JSON.parse(readFileSync(file, 'utf8')) as Script[];

it.each(scripts)('$name', ({ looks }) => {
  const lanes = new Lanes();
  for (const { at, open, failed, ...facts } of looks) {
    expect(lanes.look(at, facts), `at ${at} ms`).toBe(open);
    if (failed) lanes.failed();
  }
});
