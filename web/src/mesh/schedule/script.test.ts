import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pcg } from './pcg.fixture';
import { Scheduler } from './schedule';
import { type Action, defaultConfig, ScheduleError } from './state';
import { Lag, Uplink } from './uplink';

// The scripts of the Go half. A block is a comment, or a command, four dashes, and what it says:
// which frames are to be sent, and the deadline. Times are ms since the beginning and stay until
// the next "at".
const folder = new URL('../../../../mesh/schedule/testdata/', import.meta.url);
const REASONS = ['not-held', 'busy', 'unreadable', 'changed'] as const;

/** The values that the steps of a script work on. */
class Script {
  private scheduler: Scheduler | undefined;
  private readonly line = new Uplink();
  private readonly lag = new Lag();
  private now = 0;

  run(command: string): string {
    const words = command.split(/\s+/u);
    const pairs = words.slice(1).map((word) => word.split('='));
    const options = new Map(pairs.filter((p) => p.length === 2).map(([key, value]) => [key as string, Number(value)]));
    const numbers = pairs.filter((p) => p.length === 1).map(([value]) => Number(value));
    if (words[0] === 'new') return this.start(options);
    const { scheduler } = this;
    if (!scheduler) return this.uplink(words[0] as string, options, numbers[0] ?? 0);
    let said: string[];
    try {
      said = this.fact(scheduler, words[0] as string, options, numbers);
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error;
      said = [`error: schedule: ${error.message}`];
    }
    said.push(...scheduler.next(this.now).map(frame));
    const at = scheduler.deadline();
    if (at !== undefined) said.push(`deadline ${Math.trunc(at)}`);
    return said.length === 0 ? 'nothing' : said.join('\n');
  }

  private start(options: ReadonlyMap<string, number>): string {
    const [pieces, leaves] = [options.get('pieces') ?? 0, options.get('leaves') ?? 0];
    const config = defaultConfig({ size: pieces * leaves, piece: leaves, leaf: 1 });
    config.uniqueFirst = options.get('uploader') === 1;
    config.budget = options.get('budget') || config.budget;
    this.scheduler = new Scheduler(config, pcg(options.get('seed') ?? 0, 0));
    return 'ok';
  }

  /** Tells the scheduler what has happened. */
  private fact(s: Scheduler, name: string, options: ReadonlyMap<string, number>, numbers: readonly number[]): string[] {
    const [a = 0, b = 0, c = 0, d = 0] = numbers;
    const option = (key: string): number => options.get(key) ?? 0;
    switch (name) {
      case 'hold':
        s.hold(a, b);
        return [];
      case 'select':
        s.select(a, b, option('wanted') === 1, this.now);
        return [];
      case 'play':
        s.play(a, b);
        return [];
      case 'joined':
        for (const p of numbers) s.peerJoined(p, option('lanes'), option('rtt'));
        return [];
      case 'left':
        s.peerLeft(a);
        return [];
      case 'going':
        s.leaves(a, option('going') === 1);
        return [];
      case 'rate':
        s.rate(a, b);
        return [];
      case 'shown':
        s.shown(a, b, c);
        return [];
      case 'leaves':
        return Array.from({ length: d }, (_, i) => c + i).flatMap((l) =>
          s.leafArrived(a, b, l, this.now) ? [] : ['not news'],
        );
      case 'rejected':
        s.rejected(a, b, c, d, REASONS[option('reason') - 1] as (typeof REASONS)[number], this.now);
        return [];
      case 'wanted':
        s.wanted(a, b, c, d);
        return [];
      case 'cancelled':
        s.cancelled(a, b, c, d);
        return [];
      case 'full':
        s.full(a, option('full') === 1);
        return [];
      case 'send':
        return Array.from({ length: a }, () => this.send(s));
      case 'at':
        this.now = a;
        return [];
      case 'expects':
        return [s.expects(a, b, c, this.now)];
      case 'state':
        return [`held ${s.held}, missing ${s.missing}, the swarm holds all: ${s.swarmHolds}`];
      default:
        throw new Error(`no such command: ${name}`);
    }
  }

  /** A command of a script without a scheduler. */
  private uplink(name: string, options: ReadonlyMap<string, number>, number: number): string {
    const option = (key: string): number => options.get(key) ?? 0;
    this.now = option('at');
    const so = { handed: option('handed'), left: option('left') };
    switch (name) {
      case 'line':
        this.line.begin(number, option('rtt'), so, this.now);
        break;
      case 'asks':
        return `asks: ${this.line.asks(so, this.now)}`;
      case 'answered':
        this.line.answered(option('by'), option('took'), option('waited'), so, this.now);
        break;
      case 'lag':
        return `${this.lag.over(option('took'), this.now)} more`;
      default:
        throw new Error(`no such command: ${name}`);
    }
    return `rate ${Math.round(this.line.rate / 1000)} kB/s, a PING every ${Math.trunc(this.line.every)}`;
  }

  private send(s: Scheduler): string {
    const next = s.nextSend(this.now);
    if (!next) return 'nothing to send';
    s.sent(next, this.now);
    return `send to ${next.peer} piece ${next.piece} leaf ${next.leaf}`;
  }
}

function frame(a: Action): string {
  const last = a.first + a.count - 1;
  const head = `${a.kind.toUpperCase()} to ${a.peer}:`;
  if (a.kind === 'have') return `${head} pieces ${a.first} to ${last}`;
  const leaves = `${head} piece ${a.piece} leaves ${a.first} to ${last}`;
  return a.kind === 'reject' ? `${leaves}, reason ${REASONS.indexOf(a.reason) + 1}` : leaves;
}

const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

it('there are scripts', () => {
  expect(files.length).toBeGreaterThan(5);
});

it.each(files)('%s says what it says in Go', (name) => {
  const script = new Script();
  for (const block of readFileSync(new URL(name, folder), 'utf8').trim().split('\n\n')) {
    const [command = '', want] = block.split('\n----\n');
    if (want === undefined && command.startsWith('#')) continue;
    expect(`${command}\n${script.run(command)}`).toBe(`${command}\n${want?.trimEnd()}`);
  }
});

it('the source of chance is that of Go', () => {
  // What rand.New(rand.NewPCG(1, 2)).IntN gives.
  const chance = pcg(1, 2);
  expect(Array.from({ length: 8 }, () => chance(1000))).toEqual([769, 616, 784, 796, 234, 41, 499, 449]);
  expect(Array.from({ length: 4 }, () => chance(64))).toEqual([25, 48, 47, 10]);
});
