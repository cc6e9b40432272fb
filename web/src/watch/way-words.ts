// The way of the picture in words. Pure.

import type { Shown } from '../topology/switch';
import { count } from '../ui/format';

/** "from the server", "relayed by 1 viewer". byHttp: that is on the screen, over whatever way was there before. */
export function wayWords(shown: Shown, byHttp: boolean): string {
  if (byHttp) return 'from the server, by plain HTTP';
  if (shown.at !== 'peer') return shown.at === 'server' ? 'from the server' : '–';
  const { via, relays } = shown.facts;
  return via === 'direct'
    ? 'straight from the uploader'
    : `relayed by ${count(Math.max(1, relays), 'viewer', 'viewers')}`;
}
