import { describe, expect, it } from 'vitest';
import { cameraTrouble, screenTrouble } from './words';

describe('words for devices', () => {
  it.each(['NotAllowedError', 'system', 'NotFoundError', 'NotReadableError', 'insecure', 'SomethingNewError'])(
    'tells what to do about %s',
    (name) => {
      expect(cameraTrouble(name).title).not.toBe('');
      expect(cameraTrouble(name).advice).not.toBe('');
    },
  );

  it('keeps quiet when a person closes the question about the screen', () => {
    expect(screenTrouble('NotAllowedError')).toBeUndefined();
    expect(screenTrouble('system')?.advice).toMatch(/Screen Recording/);
    expect(screenTrouble('insecure')?.title).toMatch(/may not use/);
    expect(screenTrouble('unsupported')?.title).toMatch(/cannot share/);
    expect(screenTrouble('Other')).toBeDefined();
  });
});
