import { expect, it } from 'vitest';
import { type Keeps, keepKey, keptKey } from '../signal/key';
import { ShownKey } from './shown-key';

function keeps(): Keeps {
  const storage = () => {
    const map = new Map<string, string>();
    return {
      getItem: (name: string) => map.get(name) ?? null,
      setItem: (name: string, value: string) => void map.set(name, value),
      removeItem: (name: string) => void map.delete(name),
    };
  };
  return { tab: storage(), device: storage() };
}

it('is kept once it works, and as long as the person wants', () => {
  const kept = keeps();
  const key = new ShownKey(kept);
  key.show('good', true);
  expect(keptKey(kept)).toBeUndefined();
  key.works();
  expect([keptKey(kept), key.kept.value]).toEqual(['good', true]);
  key.remember(false);
  expect([keptKey(kept), key.kept.value]).toEqual(['good', false]);
  key.forget();
  expect(keptKey(kept)).toBeUndefined();
});

it('does not cost the good one when another is wrong', () => {
  const kept = keeps();
  const key = new ShownKey(kept);
  key.show('good', true);
  key.works();
  key.show('bad', false);
  key.wrong();
  expect([keptKey(kept), key.kept.value]).toEqual(['good', true]);
  key.show('good', true);
  key.wrong();
  expect(keptKey(kept)).toBeUndefined();
});

it('is dropped alone where another is kept on the device', () => {
  const kept = keeps();
  keepKey('good', true, kept);
  keepKey('other', false, kept);
  const key = new ShownKey(kept);
  key.show('other', false);
  key.wrong();
  expect(keptKey(kept)).toBe('good');
});
