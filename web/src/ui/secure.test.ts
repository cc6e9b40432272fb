import { afterEach, describe, expect, it, vi } from 'vitest';
import { lacking } from './secure';

describe('a page of files', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('says what it lacks before anybody waits for something that never comes', () => {
    vi.stubGlobal('isSecureContext', false);
    vi.stubGlobal('RTCPeerConnection', class {});
    expect(lacking()?.advice).toMatch(/https.*--tls-self.*fanfare get/);
    vi.stubGlobal('isSecureContext', true);
    expect(lacking()).toBeUndefined();
    vi.stubGlobal('RTCPeerConnection', undefined);
    expect(lacking()?.title).toMatch(/WebRTC/);
  });
});
