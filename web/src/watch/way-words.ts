// The way of the picture in words. Pure.

import type { Shown } from '../topology/switch';
import { count } from '../ui/format';

/** "from the server", "straight from the uploader", "relayed by 1 viewer". */
export function wayWords(shown: Shown): string {
  if (shown.at !== 'peer') return shown.at === 'server' ? 'from the server' : '–';
  const { via, relays } = shown.facts;
  return via === 'direct'
    ? 'straight from the uploader'
    : `relayed by ${count(Math.max(1, relays), 'viewer', 'viewers')}`;
}
