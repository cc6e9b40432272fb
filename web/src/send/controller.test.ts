import { expect, it } from 'vitest';
import { SendController } from './controller';

const file = { size: 3, lastModified: 0 } as File;

it('says what to do when the browser gives nothing of what was chosen', async () => {
  const send = new SendController();
  await send.take(Promise.resolve(undefined));
  expect(send.state.value.problem).toBeUndefined();
  await send.take(Promise.reject(new DOMException('no', 'SecurityError')));
  expect(send.state.value.problem).toMatch(/could not read what you chose.*with the button/);
});

it('says why nothing of what was chosen can be shared', async () => {
  const send = new SendController();
  const chosen = [
    { path: 'CON', file },
    { path: 'gone', file: undefined, unread: true },
  ];
  await send.take(Promise.resolve({ chosen, handles: [] }));
  expect(send.state.value).toMatchObject({
    phase: 'empty',
    problem: expect.stringMatching(/^Nothing of that.*“CON”. Rename it.*could not read “gone”/),
  });
});
