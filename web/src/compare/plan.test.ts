import { describe, expect, it } from 'vitest';
import { DEFAULT, encodes, inTurn, objection } from './plan';

const all = { webrtc: true, pictures: true, records: true };

describe('a plan', () => {
  it.each([
    [{}, all, undefined],
    [{ ways: [] }, all, /at least one way/],
    [{ ways: ['tree'] as const }, all, /two viewers/],
    [{ ways: ['tree'] as const, viewers: 2 }, all, undefined],
    [{}, { ...all, webrtc: false }, /no WebRTC/],
    [{}, { ...all, pictures: false }, /single picture/],
    [{}, { ...all, records: false }, undefined],
    [{ ways: ['http'] as const }, { ...all, records: false }, /cannot record/],
  ])('%j in a browser that has %j', (change, has, words) => {
    const said = objection({ ...DEFAULT, ...change }, has);
    if (words === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(words);
  });

  it('has each way opened first in its turn', () => {
    const runs = [0, 1, 2, 3].map((turn) => inTurn(['sfu', 'star', 'http'], turn).join(' '));
    expect(runs).toEqual(['sfu star http', 'star http sfu', 'http sfu star', 'sfu star http']);
    expect(inTurn([], 3)).toEqual([]);
  });

  it('says how often the picture is encoded', () => {
    expect(encodes({ ways: ['sfu', 'star', 'tree', 'http'], viewers: 3 })).toBe(8);
  });
});
