// The ways to viewers in words. Pure.

import type { Place, Plan, Topology } from '../signal/msg.gen';
import { count } from '../ui/format';

export interface Option {
  topology: Topology;
  title: string;
  /** What it means. */
  text: string;
}

export const OPTIONS: readonly Option[] = [
  {
    topology: 'sfu',
    title: 'By the server',
    text: 'You send once, and the server sends it on to everybody.',
  },
  {
    topology: 'star',
    title: 'Directly from me',
    text: 'The shortest way, for a few viewers: this computer encodes and sends a copy for each.',
  },
  {
    topology: 'tree',
    title: 'Viewers pass it on',
    text: 'You send to two, and they pass it on. Each step decodes and encodes again: later, and a little less sharp.',
  },
  {
    topology: 'auto',
    title: 'Automatic',
    text: 'Directly for up to four viewers while your line was seen to carry it; passed on when there are more than the server is meant for; else by the server.',
  },
];

/** Whether viewers may learn this computer's address, or each other's. */
export function showsAddresses(chosen: Topology): boolean {
  return chosen !== 'sfu';
}

/** "straight from you", "from viewer 2, relayed by 1". names gives the number of a viewer. */
export function placeWords(place: Place, names: (endpoint: string) => string): string {
  switch (place.via) {
    case 'direct':
      return 'straight from you';
    case 'relayed':
      return `from ${names(place.from ?? '')}, relayed by ${count(Math.max(1, place.relays), 'viewer', 'viewers')}`;
    default:
      return 'from the server';
  }
}

/** "120 ms", "about 120 ms", "not known yet". */
export function delayWords(place: Place): string {
  if (!place.delay) return 'not known yet';
  return place.measured ? `${place.delay} ms` : `about ${place.delay} ms`;
}

/** How far it goes without the server. */
export function depthWords(plan: Pick<Plan, 'depth'>): string {
  if (plan.depth === 0) return 'all by the server';
  return plan.depth === 1 ? '1 step' : `${plan.depth} steps, over ${count(plan.depth - 1, 'viewer', 'viewers')}`;
}
