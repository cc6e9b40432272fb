import { describe, expect, it } from 'vitest';
import { cameraTrouble, INSECURE, microphoneTrouble, screenTrouble } from './words';

describe('words for devices', () => {
  it.each(['NotAllowedError', 'system', 'NotFoundError', 'NotReadableError', 'insecure', 'SomethingNewError'])(
    'tells what to do about %s',
    (name) => {
      expect(cameraTrouble(name).title).not.toBe('');
      expect(cameraTrouble(name).advice).not.toBe('');
    },
  );

  it('tells a blocked microphone from a busy one', () => {
    expect(microphoneTrouble('NotAllowedError').title).toMatch(/blocked/);
    expect(microphoneTrouble('system').advice).toMatch(/system/);
    expect(microphoneTrouble('NotReadableError').title).toMatch(/does not start/);
  });

  it('says on a page without https what still works and what to do', () => {
    expect(INSECURE.advice).toMatch(/https.*Files.*--tls-self/);
    expect(cameraTrouble('insecure')).toBe(INSECURE);
  });

  it('keeps quiet when a person closes the question about the screen', () => {
    expect(screenTrouble('NotAllowedError')).toBeUndefined();
    expect(screenTrouble('system')?.advice).toMatch(/Screen Recording/);
    expect(screenTrouble('insecure')).toBe(INSECURE);
    expect(screenTrouble('unsupported')?.title).toMatch(/cannot share/);
    expect(screenTrouble('Other')).toBeDefined();
  });
});
