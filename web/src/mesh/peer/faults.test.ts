import { stdout } from 'node:process';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Bytes, equal } from '../bytes';
import { clock, hunting, rounds, seed, span, WITHIN } from '../fuzz.fixture';
import { Chance } from '../mutate.fixture';
import type { Event } from './config';
import type { Root } from './content';
import { type End, FaultyLine, Line, World } from './line.fixture';
import { Couple, SIZE, stream, wanted } from './pair.fixture';
import { Memory } from './sink';
import type { Take } from './way';

/** Faults that a receiver meets at the most before its line is good. */
const MOST = 2_000;
/** Where nothing new is stored in so long, nothing will be (ms of a clock that does not wait). */
const TOO_LONG = 3_600_000;

/** A place for what comes that takes nothing else. */
class Strict extends Memory {
  override async write(at: number, bytes: Bytes): Promise<void> {
    if (!equal(bytes, stream.subarray(at, at + bytes.length))) throw new Error(`other bytes at ${at}`);
    await super.write(at, bytes);
  }
}

/** What a receiver leaves to the next. */
class Kept {
  readonly sink = new Strict(stream.length);
  readonly whole = new Map<number, Root>();
}

class Trial {
  readonly world = new World();
  readonly line = new FaultyLine(this.world, new Chance(seed));
  transfers = 0;
  /** Receivers that gave up, and went on from what they had. */
  gaveUp = 0;
  /** Leaves that were seen and not stored. */
  bad = 0;
  private couple!: Couple;

  /** Until so many frames were spoilt, or until then. Answers what went wrong. */
  async run(faults: number, until: number): Promise<unknown[]> {
    this.couple = await Couple.make(this.world, this.line);
    while (this.line.spoilt < faults && clock() < until) await this.transfer(Math.min(MOST, Math.ceil(faults / 2)));
    await this.couple.end();
    return this.couple.crashes;
  }

  get connections(): number {
    return this.couple.connections;
  }

  /** One receiver that begins with nothing, over a bad line for a while and then over a good one. */
  private async transfer(faults: number): Promise<void> {
    const kept = new Kept();
    const until = this.line.spoilt + faults;
    this.line.bad = true;
    while (!(await this.receive(kept, until))) this.gaveUp += 1;
    expect(equal(await kept.sink.read(0, SIZE), stream.slice(0, SIZE))).toBe(true);
    this.transfers += 1;
  }

  /** Runs a receiver until it has finished, or has given up for what it was told. */
  private async receive({ sink, whole }: Kept, until: number): Promise<boolean> {
    let ended = '';
    let since = performance.now();
    const receiver = await this.couple.receiver((event: Event) => {
      if (event.kind === 'offered') receiver.accept({ sink, wanted, whole: new Map(whole) });
      if (event.kind === 'wrong') this.bad += 1;
      if (event.kind === 'finished') ended = 'finished';
      if (event.kind === 'ended') ended = event.end.kind;
      if (event.kind !== 'stored') return;
      since = performance.now();
      whole.set(event.piece, event.root);
    });
    for (let end: End | undefined; ended === ''; await this.world.turn()) {
      if (!end || end.gone) end = await this.couple.connect(receiver);
      this.line.bad &&= this.line.spoilt < until;
      if (this.line.bad) since = performance.now();
      if (performance.now() - since > TOO_LONG) throw new Error(`no more comes: ${JSON.stringify(receiver.status())}`);
    }
    receiver.stop();
    // What the sender says may end it: that a file has changed, or that it is put out.
    expect(['finished', 'changed', 'refused']).toContain(ended);
    return ended === 'finished';
  }
}

// The twin of TestFaults: what a frame breaks ends the connection, and another begins; where it ends the receiver,
// another goes on with what that had.
it(
  'over a line that flips bits, cuts, doubles and swaps frames no wrong byte is stored, and all comes when it is good',
  async () => {
    const trial = new Trial();
    onTestFinished(() => trial.world.end());
    expect(await trial.run(rounds, clock() + span)).toEqual([]);
    if (!hunting) return;
    const { line, transfers, gaveUp, bad, connections } = trial;
    const figures = {
      'faults injected': line.spoilt,
      'transfers that finished with the right bytes': transfers,
      'connections ended by what came': connections - transfers,
      'receivers that gave up, and went on with what they had': gaveUp,
      'bad leaves seen and not stored': bad,
    };
    for (const [name, value] of Object.entries(figures)) stdout.write(`figure: ${name}, pages = ${value}\n`);
  },
  WITHIN,
);

const LEAF_FRAME = 0x07;

/** Changes a bit of every leaf but the first, and brings four of them in one go. */
class BadLeaves extends Line {
  private held: (() => void)[] = [];

  override carry(message: Bytes, put: Take): void {
    if (message[0] !== LEAF_FRAME) {
      super.carry(message, put);
      return;
    }
    const at = message.length - 1;
    if (this.held.length > 0) message[at] = (message[at] as number) ^ 1;
    this.held.push(() => put(message));
    if (this.held.length < 4) return;
    const all = this.held.splice(0);
    this.world.later(() => {
      for (const one of all) one();
    });
  }
}

it('of three bad leaves that come in one go with a good one the first alone is read, and none is stored', async () => {
  const world = new World();
  onTestFinished(() => world.end());
  const couple = await Couple.make(world, new BadLeaves(world));
  const sink = new Strict(stream.length);
  const written = vi.spyOn(sink, 'write');
  let wrong = 0;
  const receiver = await couple.receiver((event) => {
    if (event.kind === 'offered') receiver.accept({ sink, wanted, whole: new Map() });
    if (event.kind === 'wrong') wrong += 1;
  });
  const read = vi.spyOn(receiver.flow, 'expects');
  const end = await couple.connect(receiver);
  while (!end.gone) await world.turn();
  receiver.stop();
  await couple.end();
  expect([wrong, read.mock.calls.length, written.mock.calls.length]).toEqual([1, 2, 1]);
});
