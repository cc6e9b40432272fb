// What one viewer gets, in words. Pure.

import type { Peer } from '../signal/msg.gen';
import { bitrate } from '../ui/format';

/** "watching 540p, line about 1.2 Mbit/s", and why it is no better, when it is the viewer's line. */
export function getsWords(peer: Peer): string {
  if (!peer.watching) return 'waiting';
  const parts = [peer.height ? `watching ${peer.height}p` : 'watching'];
  if (peer.line) parts.push(`line about ${bitrate(peer.line)}`);
  if (peer.bound === 'line') parts.push('too thin for more');
  return parts.join(', ');
}
