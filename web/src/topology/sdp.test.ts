import { describe, expect, it } from 'vitest';
import {
  answerAfterRestart,
  iceSections,
  restartFragment,
  stunUrl,
  withRoundTrip,
  withStartBitrate,
  withStereo,
} from './sdp';

const sdp = (...lines: string[]): string => `${lines.join('\r\n')}\r\n`;

const OFFER = sdp(
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
  'a=ice-ufrag:AbCd',
  'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa',
  'a=mid:0',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=ice-ufrag:AbCd',
  'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa',
  'a=mid:1',
  'a=rtpmap:96 VP8/90000',
);

describe('withStereo', () => {
  it('adds to the parameters of Opus and to nothing else', () => {
    const out = withStereo(OFFER);
    expect(out).toContain('a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n');
    expect(out).toContain('a=fmtp:63 111/111\r\n');
    expect(out.split('\r\n').length).toBe(OFFER.split('\r\n').length);
  });

  it('is the same when done twice, and respects what is there', () => {
    expect(withStereo(withStereo(OFFER))).toBe(withStereo(OFFER));
    const mono = sdp('m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 stereo=0');
    expect(withStereo(mono)).toBe(mono);
  });

  it('makes parameters where there are none', () => {
    const bare = sdp('m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 OPUS/48000/2', 'a=sendrecv');
    expect(withStereo(bare)).toBe(
      sdp('m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 OPUS/48000/2', 'a=fmtp:111 stereo=1', 'a=sendrecv'),
    );
  });
});

describe('withRoundTrip', () => {
  it('adds to every picture format, once, and to nothing else', () => {
    const offer = sdp(
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:96 VP8/90000',
      'a=rtcp-fb:96 nack',
      'a=rtpmap:97 rtx/90000',
    );
    const out = withRoundTrip(offer);
    expect(out).toBe(offer.replace('VP8/90000', 'VP8/90000\r\na=rtcp-fb:96 rrtr'));
    expect(withRoundTrip(out)).toBe(out);
  });
});

describe('withStartBitrate', () => {
  it('adds to every picture format, in kbit/s, and to nothing else', () => {
    const answer = sdp(
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:97 rtx/90000',
      'a=fmtp:97 apt=96',
      'a=rtpmap:102 H264/90000',
      'a=fmtp:102 packetization-mode=1',
    );
    expect(withStartBitrate(answer, 1_500_000)).toBe(
      sdp(
        'a=rtpmap:111 opus/48000/2',
        'a=rtpmap:96 VP8/90000',
        'a=fmtp:96 x-google-start-bitrate=1500',
        'a=rtpmap:97 rtx/90000',
        'a=fmtp:97 apt=96',
        'a=rtpmap:102 H264/90000',
        'a=fmtp:102 packetization-mode=1;x-google-start-bitrate=1500',
      ),
    );
  });
});

describe('an ICE restart', () => {
  it('sends the credentials of the first m-line, which stands for the bundle', () => {
    expect(restartFragment(OFFER)).toBe(
      sdp(
        'a=ice-ufrag:AbCd',
        'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa',
        'a=group:BUNDLE 0 1',
        'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
        'a=mid:0',
      ),
    );
    expect(() => restartFragment('v=0\r\n')).toThrow();
  });

  const ANSWER = sdp(
    'v=0',
    'a=ice-lite',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=ice-ufrag:old',
    'a=ice-pwd:oldoldoldoldoldoldoldold',
    'a=candidate:1 1 udp 2130706431 192.0.2.1 8080 typ host',
    'a=candidate:2 1 udp 2130706430 192.0.2.2 8080 typ host',
    'a=fingerprint:sha-256 AA',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=ice-ufrag:old',
    'a=ice-pwd:oldoldoldoldoldoldoldold',
  );

  it('puts new credentials and candidates into the old answer', () => {
    const fragment = sdp(
      'a=ice-ufrag:new',
      'a=ice-pwd:newnewnewnewnewnewnewnew',
      'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      'a=mid:0',
      'a=candidate:1 1 udp 2130706431 198.51.100.9 8080 typ host',
    );
    expect(answerAfterRestart(ANSWER, fragment)).toBe(
      sdp(
        'v=0',
        'a=ice-lite',
        'm=audio 9 UDP/TLS/RTP/SAVPF 111',
        'a=ice-ufrag:new',
        'a=ice-pwd:newnewnewnewnewnewnewnew',
        'a=candidate:1 1 udp 2130706431 198.51.100.9 8080 typ host',
        'a=fingerprint:sha-256 AA',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'a=ice-ufrag:new',
        'a=ice-pwd:newnewnewnewnewnewnewnew',
      ),
    );
  });

  it('keeps the candidates when the fragment has none, with or without m-lines', () => {
    const out = answerAfterRestart(ANSWER, sdp('a=ice-ufrag:new', 'a=ice-pwd:newnewnewnewnewnewnewnew'));
    expect(out).toContain('192.0.2.2');
    expect(iceSections(out).map((s) => s.ufrag)).toEqual(['new', 'new']);
    const inside = sdp('m=audio 9 RTP/AVP 0', 'a=mid:0', 'a=ice-ufrag:in', 'a=ice-pwd:p');
    expect(iceSections(answerAfterRestart(ANSWER, inside))[0]?.ufrag).toBe('in');
  });

  it('refuses a fragment without credentials', () => {
    expect(() => answerAfterRestart(ANSWER, 'm=audio 9 RTP/AVP 0\r\n')).toThrow();
  });
});

describe('stunUrl', () => {
  it.each([
    ['192.0.2.7:8080', 'stun:192.0.2.7:8080'],
    [':8080', 'stun:page.test:8080'],
    ['[2001:db8::1]:3478', 'stun:[2001:db8::1]:3478'],
    ['', undefined],
    [undefined, undefined],
    ['192.0.2.7', undefined],
  ])('%s', (address, want) => {
    expect(stunUrl(address, 'page.test')).toBe(want);
  });
});
