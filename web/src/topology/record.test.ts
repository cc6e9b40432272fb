import { describe, expect, it } from 'vitest';
import { typeFor } from './record';

describe('what is recorded', () => {
  it('is what every browser plays, where the browser can make that', () => {
    expect(typeFor(true, () => true)).toBe('video/webm;codecs=vp8,opus');
    expect(typeFor(false, () => true)).toBe('video/webm;codecs=vp8');
    expect(typeFor(true, (t) => t.startsWith('video/mp4'))).toBe('video/mp4;codecs=avc1.42E01E,mp4a.40.2');
    expect(typeFor(true, (t) => t === 'video/mp4')).toBe('video/mp4');
    expect(typeFor(true, () => false)).toBeUndefined();
  });
});
