import { describe, expect, it } from 'vitest';
import { type Seen, Sight } from './sight';

class Tab extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible';

  become(state: DocumentVisibilityState): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

describe('the sight of a page', () => {
  it.each<[string, (tab: Tab) => void, boolean]>([
    ['in view all the time', () => undefined, false],
    [
      'hidden in the middle and in view at the end',
      (tab) => ['hidden', 'visible'].map((s) => tab.become(s as never)),
      true,
    ],
    ['hidden at the end', (tab) => tab.become('hidden'), true],
    ['told twice that it is in view', (tab) => ['visible', 'visible'].map((s) => tab.become(s as never)), false],
  ])('%s', (_, happens, lost) => {
    const tab = new Tab();
    const sight = new Sight(tab as unknown as Seen);
    happens(tab);
    expect(sight.end()).toBe(lost);
  });

  it('is lost where the page is hidden from the beginning, and of no concern after the end', () => {
    const tab = new Tab();
    tab.become('hidden');
    const hidden = new Sight(tab as unknown as Seen);
    tab.become('visible');
    expect(hidden.end()).toBe(true);

    const sight = new Sight(tab as unknown as Seen);
    sight.end();
    tab.become('hidden');
    expect(sight.end()).toBe(false);
  });
});
