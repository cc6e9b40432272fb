import { describe, expect, it } from 'vitest';
import { ReceiveController } from './controller';
import { initial, type State, step } from './state';

const manifest = { files: [{ path: 'a', size: 600, mtime: 0 }], created: 0, text: '' };
const offered = { manifest, id: new Uint8Array(32) };

/** A page to which one file was offered, with a place for it and a peer that are the test's. */
function page(keeping: object, peer: object = {}): { controller: ReceiveController; state: () => State } {
  const controller = new ReceiveController();
  Object.assign(controller, { keeping, peer, offered });
  controller.state.value = step(initial, { kind: 'mesh', event: { kind: 'offered', offered } });
  return { controller, state: () => controller.state.value };
}

describe('what cannot be read at the moment', () => {
  it('is told to the person who wants to save it', async () => {
    const blob = (): Blob => {
      throw new Error('not finished');
    };
    const { controller, state } = page({ sink: { blob }, give: (work: () => Promise<unknown>) => work() });
    await controller.saveFolder();
    expect(state()).toMatchObject({ saving: false, problem: expect.stringMatching(/could not be written/u) });
    controller.save(0);
    expect(state().problem).toMatch(/cannot be read/u);
    expect(state().saved.size).toBe(0);
  });
});

describe('a piece that is not as it was', () => {
  const sink = { lasting: true, placed: true };

  it.each([
    [true, 'fetching', /It is fetched again\./u],
    [false, 'done', /Reload the page while the sender is there/u],
  ])('is fetched again, or what is here stays: %s', async (fetched, phase, words) => {
    const keeping = {
      begin: async () => ({ sink, whole: new Map() }),
      lookOn: async (_: unknown, __: unknown, wrong: (piece: number) => Promise<void>) => wrong(0),
    };
    const { controller, state } = page(keeping, {
      accept: () => {
        controller.state.value = step(controller.state.value, { kind: 'mesh', event: { kind: 'finished' } });
      },
      lose: async () => fetched,
    });
    await controller.accept();
    await expect.poll(() => state().problem).toMatch(words);
    expect(state().phase).toBe(phase);
  });
});
