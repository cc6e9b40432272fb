// One comparison from beginning to end: opens the source and the ways, lets them settle, measures, closes.
// It gathers samples; what they say is figures.ts.

import { pageNow } from '../signal/client';
import type { Topology, ViewerFigures } from '../signal/msg.gen';
import { stamps } from '../signal/stamp';
import { Lateness } from '../stats/lateness';
import type { Logged } from '../stats/log';
import { Course, type LeftOut, type Notes, type Trouble } from './course';
import { Devices, type Told } from './devices';
import type { Join, Sample } from './figures';
import { Further } from './further';
import { inTurn, type Plan, type Way } from './plan';
import { Room } from './room';
import { Sight } from './sight';
import { openSource, type Sending } from './source';
import { Viewer } from './viewer';
import { type Open, openWay, type WayOptions } from './ways';

/** All that was gathered, as it is saved. */
export interface Gathered {
  /** Without those that were left out. */
  ways: readonly Way[];
  leftOut: readonly LeftOut[];
  viewers: number;
  source: string;
  seconds: number;
  /** ISO 8601 */
  began: string;
  /** The time that the samples are of, ms by the page's clock; undefined: it did not come to that. */
  measured: { from: number; to: number } | undefined;
  samples: Sample[];
  joins: Join[];
  snapshots: Logged[];
  /** What further devices told. */
  devices: Told[];
  /** ms, 99th percentile; undefined: not measured. */
  lateness: number | undefined;
  /** Why it was not what was planned; empty: it was. */
  troubles: readonly string[];
}

export interface Progress {
  phase: 'opening' | 'settling' | 'measuring' | 'over';
  /** 0…1 of the measured time. */
  part: number;
}

export interface ExperimentOptions {
  plan: Plan;
  /** How many runs have been before: ways are opened in turning order. */
  turn: number;
  key: string;
  /** The address at which further devices join, once there is one; viewers are elements for the page. */
  opened(link: string, viewers: readonly Viewer[]): void;
  progress(progress: Progress): void;
  /** Something has befallen a way, or the run. */
  noted(notes: Notes): void;
  /** A picture was shown, from the beginning on: for what is drawn live. */
  seen(sample: Sample): void;
  /** A further device tells what it sees. */
  told(told: Told): void;
}

/** ms */
const PATIENCE = 20_000; // for a first picture on every way
const SETTLE = 3_000; // from then on: encoders and estimates begin low
const LOOK = 1_000;

export class Experiment {
  private readonly options: ExperimentOptions;
  private readonly stopping = new AbortController();
  private readonly gathered: Gathered;
  private readonly course: Course;
  private readonly devices = new Devices();
  private viewers: Viewer[] = [];
  private readonly open = new Map<Way, Open>();
  private further: Further | undefined;
  private link = '';
  private measuring = false;
  private over = false;

  constructor(options: ExperimentOptions) {
    this.options = options;
    const { ways, viewers, seconds, file } = options.plan;
    this.course = new Course(ways, viewers);
    this.gathered = {
      ways,
      leftOut: [],
      viewers,
      seconds,
      source: file ? file.name : 'test picture',
      began: new Date().toISOString(),
      measured: undefined,
      samples: [],
      joins: [],
      snapshots: [],
      devices: [],
      lateness: undefined,
      troubles: [],
    };
  }

  /** Ends it early: what was gathered is kept. */
  stop(): void {
    this.stopping.abort();
  }

  /** How further devices are to get the picture from now on. */
  devicesWatchBy(topology: Topology): void {
    this.further?.watchBy(topology);
  }

  /** Throws KeyNeeded, or an Error with words for people, when nothing could begin. */
  async run(): Promise<Gathered> {
    this.options.progress({ phase: 'opening', part: 0 });
    const room = await Room.open(this.options.key, {
      lost: (words) => this.note(words),
      told: (figures) => this.heard(figures),
      heard: (message) => this.further?.hear(message),
    });
    let source: Sending | undefined;
    const lateness = new Lateness();
    try {
      source = await openSource(
        this.options.plan,
        stamps(
          () => room.now(),
          () => room.clock,
        ),
        { changed: () => this.refresh(), broken: (words) => this.note(words) },
      );
      this.begin(room, source);
      if (await this.settle()) await this.measure(lateness);
      else this.note('It was ended before anything was measured.');
      this.gathered.lateness = lateness.p99();
    } finally {
      this.over = true;
      this.options.progress({ phase: 'over', part: 1 });
      lateness.close();
      this.further?.close();
      for (const way of this.open.values()) way.close();
      for (const viewer of this.viewers) viewer.close();
      source?.close();
      room.close();
    }
    return { ...this.gathered, ...this.course.notes, ways: this.course.ways };
  }

  private begin(room: Room, source: Sending): void {
    const { plan, turn } = this.options;
    const { ways, viewers } = plan;
    const offset = room.clock.offset;
    for (const way of inTurn(ways, turn)) {
      const own = Array.from({ length: viewers }, (_, i) => new Viewer(way, i, offset, (sample) => this.seen(sample)));
      this.viewers.push(...own);
      const befell: WayOptions['befell'] = (...what) => this.befell(way, ...what);
      this.open.set(way, openWay(way, { room, source, viewers: own, befell }));
    }
    this.further = new Further(room, source);
    this.link = `${room.welcome.publicUrl}/w/${room.welcome.room.name}`;
    this.show();
  }

  /** Puts the viewers on the page, and ends what belongs to ways that are left out. */
  private show(): void {
    const goesOn = (way: Way): boolean => this.course.ways.includes(way);
    for (const [way, open] of this.open) {
      if (goesOn(way)) continue;
      open.close();
      this.open.delete(way);
    }
    for (const viewer of this.viewers) if (!goesOn(viewer.way)) viewer.close();
    this.viewers = this.viewers.filter((v) => goesOn(v.way));
    if (this.link) this.options.opened(this.link, this.viewers);
  }

  private befell(way: Way, kind: Trouble, words: string, viewer?: number): void {
    if (this.over) return;
    const { ways } = this.course;
    this.course.befall(way, kind, words, viewer);
    this.options.noted(this.course.notes);
    if (this.course.ways !== ways) this.show();
  }

  private note(words: string): void {
    if (this.over) return;
    this.course.note(words);
    this.options.noted(this.course.notes);
  }

  private seen(sample: Sample): void {
    if (this.measuring) this.gathered.samples.push(sample);
    this.options.seen(sample);
  }

  private heard(figures: ViewerFigures): void {
    const told = this.devices.told(figures, pageNow());
    if (!told) return;
    if (this.measuring) this.gathered.devices.push(told);
    this.options.told(told);
  }

  private refresh(): void {
    for (const way of this.open.values()) way.refresh();
    this.further?.refresh();
  }

  /**
   * Until every viewer who is worth waiting for has pictures, and a little longer; false: it was stopped. Throws an
   * Error with words for people when there is none.
   */
  private async settle(): Promise<boolean> {
    this.options.progress({ phase: 'settling', part: 0 });
    const late = performance.now() + PATIENCE;
    const awaited = (): Viewer[] => this.viewers.filter((v) => !v.hasPicture && this.course.awaited(v.way, v.number));
    while (awaited().length > 0 && performance.now() < late) {
      if (!(await this.wait(100))) return false;
    }
    const nothing = this.course.nothing;
    if (nothing !== undefined) throw new Error(nothing);
    for (const { way, number } of awaited()) {
      this.befell(way, 'broke', `No picture came within ${PATIENCE / 1000} seconds.`, number);
    }
    return this.wait(SETTLE);
  }

  private async measure(lateness: Lateness): Promise<void> {
    lateness.reset();
    this.course.measure();
    for (const viewer of this.viewers) viewer.settle();
    const sight = new Sight(document);
    const from = pageNow();
    this.measuring = true;
    try {
      await this.lookOn();
    } finally {
      this.measuring = false;
      this.gathered.measured = { from, to: pageNow() };
      if (sight.end()) this.note('The page was hidden for a time.');
    }
    await this.look();
    this.gathered.joins = this.viewers.flatMap((v) => v.facts() ?? []);
  }

  /** For as long as is planned, or until it is stopped. */
  private async lookOn(): Promise<void> {
    const { seconds } = this.options.plan;
    const began = performance.now();
    for (let part = 0; part < 1; part = (performance.now() - began) / (1000 * seconds)) {
      this.options.progress({ phase: 'measuring', part });
      await this.look();
      if (!(await this.wait(Math.min(LOOK, began + 1000 * seconds - performance.now())))) {
        const measured = ((performance.now() - began) / 1000).toFixed(1);
        this.note(`It was ended early, after ${measured} of ${seconds} seconds.`);
        return;
      }
    }
  }

  private async look(): Promise<void> {
    const time = pageNow();
    const all = await Promise.all([...this.open.values()].map((way) => way.snapshots()));
    this.gathered.snapshots.push(...all.flat().map((entry) => ({ time, ...entry })));
  }

  /** true after so many ms; false at once when it is stopped. */
  private wait(ms: number): Promise<boolean> {
    const { signal } = this.stopping;
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const stopped = (): void => {
        clearTimeout(timer);
        resolve(false);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', stopped);
          resolve(true);
        },
        Math.max(0, ms),
      );
      signal.addEventListener('abort', stopped, { once: true });
    });
  }
}
