import { describe, expect, it } from 'vitest';
import { hex } from './bytes';
import { admit, formatFingerprint, sdpFingerprint } from './gate';
import { golden, unhex } from './golden.fixture';
import { Chance } from './mutate.fixture';
import { TokenError, UPLOADER } from './token';

const file = golden<{
  room: string;
  k: string;
  need: number;
  peers: { name: string; token: string; dh: string; sdp: string; now: number; revoked: number[]; error: string }[];
}>('gate.json');

const faultOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return '';
  } catch (error) {
    if (error instanceof TokenError) return error.fault;
    throw error;
  }
};

const gateOf = (serials: readonly number[]) => ({
  room: file.room,
  key: unhex(file.k),
  revoked: { version: 1, serials },
});

describe('the golden peers', () => {
  it.each(file.peers)('$name: $error', async ({ token, dh, sdp, now, revoked, error }) => {
    const shown = { token: unhex(token), dh: unhex(dh), sdp };
    expect(await faultOf(() => admit(gateOf(revoked), shown, now * 1000, file.need))).toBe(error);
  });

  it('have no more rights than their token gives', async () => {
    const [good] = file.peers as [(typeof file.peers)[number]];
    const shown = { token: unhex(good.token), dh: unhex(good.dh), sdp: good.sdp };
    expect(await faultOf(() => admit(gateOf([]), shown, good.now * 1000, UPLOADER))).toBe('rights');
  });
});

describe('the fingerprint of an SDP', () => {
  const print = new Chance(4).bytes(32);

  it('comes back as it was written', () => {
    const line = `a=fingerprint:sha-256 ${formatFingerprint(print)}`;
    expect(line).toMatch(/ [0-9A-F]{2}(?::[0-9A-F]{2}){31}$/u);
    expect(hex(sdpFingerprint(`v=0\r\n${line}\r\n`))).toBe(hex(print));
  });

  it('with a letter changed is refused or another one', async () => {
    const sdp = `v=0\r\na=fingerprint:sha-256 ${formatFingerprint(print)}\r\n`;
    for (let i = 0; i < sdp.length; i++) {
      for (const other of ['', ' ', ':', 'x', '\n', '0', 'a']) {
        const changed = sdp.slice(0, i) + other + sdp.slice(i + 1);
        const fault = await faultOf(() => sdpFingerprint(changed));
        expect(['', 'sdp']).toContain(fault);
      }
    }
  });
});
