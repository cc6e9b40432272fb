// The page without its looks: the plan, the run, and what came of it.

import { signal } from '@preact/signals';
import { dropWrong, keepKey, keeps, takeKey } from '../signal/key';
import type { Notes } from './course';
import { type DeviceFigures, devicesOf, type Told } from './devices';
import { Experiment, type Gathered, type Progress } from './experiment';
import type { Sample } from './figures';
import { Live } from './live';
import { DEFAULT, type DeviceWay, type Plan } from './plan';
import { KeyNeeded } from './room';
import type { Viewer } from './viewer';

/** Of what is drawn while it runs. ms */
const RECENT = 6_000;

const NO_NOTES: Notes = { troubles: [], leftOut: [] };

export type Phase = 'planning' | 'key' | 'running' | 'done';

export class CompareController {
  readonly phase = signal<Phase>('planning');
  readonly plan = signal<Plan>(DEFAULT);
  readonly progress = signal<Progress>({ phase: 'opening', part: 0 });
  readonly viewers = signal<readonly Viewer[]>([]);
  readonly link = signal('');
  /** What has befallen the run that goes on. */
  readonly notes = signal<Notes>(NO_NOTES);
  readonly gathered = signal<Gathered | undefined>(undefined);
  /** Why nothing could begin, in words. */
  readonly problem = signal('');
  readonly keyWrong = signal(false);
  readonly live = new Live();
  /** Further devices, by what they told in the last seconds. */
  readonly devices = signal<readonly DeviceFigures[]>([]);
  /** How they are to get the picture. */
  readonly deviceWay = signal<DeviceWay>('sfu');
  private told: readonly Told[] = [];
  private turn = 0;
  private readonly keeps = keeps();
  private key = takeKey(window.location, window.history, this.keeps);
  private experiment: Experiment | undefined;

  change(change: Partial<Plan>): void {
    this.plan.value = { ...this.plan.value, ...change };
  }

  start(): void {
    this.problem.value = '';
    if (this.key === undefined) {
      this.phase.value = 'key';
      return;
    }
    this.live.reset();
    this.told = [];
    this.devices.value = [];
    this.deviceWay.value = 'sfu';
    this.viewers.value = [];
    this.link.value = '';
    this.notes.value = NO_NOTES;
    this.phase.value = 'running';
    const experiment = new Experiment({
      plan: this.plan.value,
      turn: this.turn++,
      key: this.key,
      opened: (link, viewers) => {
        this.link.value = link;
        this.viewers.value = viewers;
        if (this.key !== undefined) keepKey(this.key, false, this.keeps);
      },
      progress: (progress) => {
        this.progress.value = progress;
      },
      noted: (notes) => {
        this.notes.value = notes;
      },
      seen: (sample: Sample) => this.live.observe(sample),
      told: (told) => this.heard(told),
    });
    this.experiment = experiment;
    experiment.run().then(
      (gathered) => {
        this.gathered.value = gathered;
        this.phase.value = 'done';
      },
      (cause: unknown) => this.failed(cause),
    );
  }

  private heard(told: Told): void {
    this.told = [...this.told, told].filter((t) => t.at > told.at - RECENT);
    this.devices.value = devicesOf(this.told);
  }

  devicesWatchBy(way: DeviceWay): void {
    this.deviceWay.value = way;
    this.experiment?.devicesWatchBy(way);
  }

  /** Ends the run early. */
  stop(): void {
    this.experiment?.stop();
  }

  useKey(key: string): void {
    this.key = key;
    this.start();
  }

  /** Back to the plan. */
  again(): void {
    this.phase.value = 'planning';
    this.keyWrong.value = false;
  }

  private failed(cause: unknown): void {
    if (cause instanceof KeyNeeded) {
      if (this.key !== undefined) dropWrong(this.key, this.keeps);
      this.keyWrong.value = true;
      this.key = undefined;
      this.phase.value = 'key';
      return;
    }
    this.problem.value = cause instanceof Error ? cause.message : 'It could not begin.';
    this.phase.value = 'planning';
  }
}
