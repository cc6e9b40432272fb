// What the page says of what it could not share, by the reason. Pure.

import { MAX_ENTRIES, MAX_TOTAL } from '../mesh/manifest';
import { bytes, count } from '../ui/format';
import type { LeftOut } from './collect';

/** So many are named. */
const NAMED = 5;
const LONGEST = 60;

/** One sentence or two for each reason, with some of the names; nothing where nothing was left out. */
export function leftOutWords(leftOut: readonly LeftOut[]): string[] {
  const of = (...whys: LeftOut['why'][]): LeftOut[] => leftOut.filter(({ why }) => whys.includes(why));
  const [many, large, unread] = [of('too many'), of('too large'), of('unread')];
  const named = leftOut.filter((one) => ![...many, ...large, ...unread].includes(one));
  const out: string[] = [];
  if (named.length > 0) {
    const [its, them] = named.length === 1 ? ['its name', 'it'] : ['their names', 'them'];
    out.push(`Not every system could store ${its}: ${names(named)}. Rename ${them}, and share again.`);
  }
  if (many.length > 0) {
    const most = count(MAX_ENTRIES, 'file', 'files');
    out.push(
      `A link takes ${most} at most. Share the rest under a second link, or packed into one file: ${names(many)}.`,
    );
  }
  if (large.length > 0) {
    out.push(`A link takes ${bytes(MAX_TOTAL)} in all. Share the rest under a second link: ${names(large)}.`);
  }
  if (unread.length > 0) {
    const [it, they] = unread.length === 1 ? ['it', 'It is'] : ['them', 'They are'];
    const why = `${they} not there any more, or this browser may not open ${it}.`;
    out.push(`The browser could not read ${names(unread)}. ${why} Put ${it} into a folder of yours, and share again.`);
  }
  return out;
}

function names(of: readonly LeftOut[]): string {
  const some = of.slice(0, NAMED).map(({ path }) => `“${path.slice(0, LONGEST)}”`);
  return of.length > some.length
    ? `${some.join(', ')} and ${count(of.length - some.length, 'other', 'others')}`
    : some.join(', ');
}
