import { expect, test, vi } from 'vitest';
import { WhenFetched } from './when-fetched';

test('messages wait for the code, and are taken in their order', async () => {
  let resolve: (code: string) => void = () => undefined;
  const promise = new Promise<string>((done) => {
    resolve = done;
  });
  const fetch = vi.fn(() => promise);
  const taken: string[] = [];
  const gate = new WhenFetched(fetch, (code, message: string) => taken.push(code + message), vi.fn());
  gate.hear('1');
  gate.hear('2');
  expect(taken).toEqual([]);
  resolve('c');
  await promise;
  gate.hear('3');
  expect(taken).toEqual(['c1', 'c2', 'c3']);
  expect(fetch).toHaveBeenCalledOnce();
});

test('without the code messages fail, and the next one has it fetched again', async () => {
  const failed: string[] = [];
  const taken: string[] = [];
  const fetch = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new TypeError('away')).mockResolvedValue('c');
  const gate = new WhenFetched(
    fetch,
    (code, message: string) => taken.push(code + message),
    (m) => failed.push(m),
  );
  gate.hear('1');
  gate.hear('2');
  await vi.waitFor(() => expect(failed).toEqual(['1', '2']));
  gate.hear('3');
  await vi.waitFor(() => expect(taken).toEqual(['c3']));
  expect(failed).toEqual(['1', '2']);
});
