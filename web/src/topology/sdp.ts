// The few places where the app reads or changes SDP (RFC 8866) itself. All pure.

/** The ICE parts of one m-line. */
export interface IceSection {
  mid: string;
  ufrag: string;
  pwd: string;
  candidates: string[]; // whole lines, "a=candidate:…"
}

const lines = (text: string): string[] => text.split(/\r\n|\n|\r/).filter((line) => line !== '');
const join = (list: readonly string[]): string => `${list.join('\r\n')}\r\n`;

/**
 * Allows stereo sound. Chromium decodes and encodes Opus in mono unless the receiving side's
 * description says stereo=1 (RFC 7587 section 7); music would lose half of itself.
 */
export function withStereo(sdp: string): string {
  return withParameter(sdp, /^opus\/48000\/2$/i, 'stereo', '1');
}

/**
 * Lets Chromium begin with a picture of this many bits a second. By itself it begins with 300,000 and needs
 * seconds to find out that the line carries the best quality; other browsers pay no attention to it.
 */
export function withStartBitrate(answer: string, bitrate: number): string {
  return withParameter(
    answer,
    /^(vp8|vp9|h264|av1)\/90000$/i,
    'x-google-start-bitrate',
    String(Math.round(bitrate / 1000)),
  );
}

/**
 * Lets a receiver of pictures ask for the round trip (RFC 3611 section 4.4). Chromium does so where the
 * description says rrtr, and tells when pictures were captured only where it knows the round trip.
 */
export function withRoundTrip(sdp: string): string {
  return join(
    lines(sdp).flatMap((line) => {
      const pt = /^a=rtpmap:(\d+) (vp8|vp9|h264|av1)\/90000$/i.exec(line)?.[1];
      return pt && !sdp.includes(`a=rtcp-fb:${pt} rrtr`) ? [line, `a=rtcp-fb:${pt} rrtr`] : [line];
    }),
  );
}

/** Adds name=value to the parameters (a=fmtp) of every format whose a=rtpmap fits, where it is not there. */
function withParameter(sdp: string, format: RegExp, name: string, value: string): string {
  const all = lines(sdp);
  const fitting = new Set<string>();
  for (const line of all) {
    const found = /^a=rtpmap:(\d+) (.*)$/.exec(line);
    if (found?.[1] && format.test(found[2] ?? '')) fitting.add(found[1]);
  }
  const done = new Set<string>();
  const out = all.map((line) => {
    const found = /^a=fmtp:(\d+) (.*)$/.exec(line);
    if (!found?.[1] || !fitting.has(found[1])) return line;
    done.add(found[1]);
    return new RegExp(`(^|;)\\s*${name}=`).test(found[2] ?? '') ? line : `${line};${name}=${value}`;
  });
  return join(
    out.flatMap((line) => {
      const pt = /^a=rtpmap:(\d+) /.exec(line)?.[1];
      return pt && fitting.has(pt) && !done.has(pt) ? [line, `a=fmtp:${pt} ${name}=${value}`] : [line];
    }),
  );
}

/** The ICE credentials and candidates of every m-line; a fragment's session-level credentials count for all. */
export function iceSections(text: string): IceSection[] {
  const out: IceSection[] = [];
  const session = { ufrag: '', pwd: '' };
  let current: IceSection | undefined;
  for (const line of lines(text)) {
    if (line.startsWith('m=')) {
      current = { mid: '', ufrag: session.ufrag, pwd: session.pwd, candidates: [] };
      out.push(current);
    }
    const at = current ?? session;
    if (line.startsWith('a=ice-ufrag:')) at.ufrag = line.slice('a=ice-ufrag:'.length).trim();
    else if (line.startsWith('a=ice-pwd:')) at.pwd = line.slice('a=ice-pwd:'.length).trim();
    else if (current && line.startsWith('a=mid:')) current.mid = line.slice('a=mid:'.length).trim();
    else if (current && line.startsWith('a=candidate:')) current.candidates.push(line);
  }
  return out;
}

/**
 * The body of a PATCH that restarts ICE (RFC 8840 section 9): the new credentials of a local
 * offer. All m-lines are bundled, so the first one stands for all.
 */
export function restartFragment(offer: string): string {
  const all = lines(offer);
  const first = iceSections(offer)[0];
  if (!first?.ufrag) throw new Error('the offer has no ICE credentials');
  const media = all.find((line) => line.startsWith('m=')) ?? 'm=audio 9 RTP/AVP 0';
  const group = all.find((line) => line.startsWith('a=group:BUNDLE'));
  return join([
    `a=ice-ufrag:${first.ufrag}`,
    `a=ice-pwd:${first.pwd}`,
    ...(group ? [group] : []),
    media,
    `a=mid:${first.mid}`,
    ...first.candidates,
  ]);
}

/**
 * The answer to a restarted offer: the old answer with the credentials and candidates of the
 * server's fragment. Where the fragment has no candidates, those of the old answer stay.
 */
export function answerAfterRestart(answer: string, fragment: string): string {
  const head = /^([\s\S]*?)(?=^m=)/m.exec(fragment)?.[1] ?? fragment;
  const section = iceSections(fragment)[0];
  const ufrag = section?.ufrag || attribute(head, 'a=ice-ufrag:');
  const pwd = section?.pwd || attribute(head, 'a=ice-pwd:');
  if (!ufrag || !pwd) throw new Error('the fragment has no ICE credentials');
  const fresh = lines(fragment).filter((line) => line.startsWith('a=candidate:'));
  let placed = false;
  const out: string[] = [];
  for (const line of lines(answer)) {
    if (line.startsWith('a=ice-ufrag:')) out.push(`a=ice-ufrag:${ufrag}`);
    else if (line.startsWith('a=ice-pwd:')) out.push(`a=ice-pwd:${pwd}`);
    else if (line.startsWith('a=candidate:') && fresh.length > 0) {
      if (!placed) out.push(...fresh);
      placed = true;
    } else out.push(line);
  }
  return join(out);
}

function attribute(text: string, prefix: string): string {
  return (
    lines(text)
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length)
      .trim() ?? ''
  );
}

/** The URL of a STUN server given as host:port, where an empty host means the page's own. */
export function stunUrl(address: string | undefined, pageHost: string): string | undefined {
  const found = /^(.*):(\d{1,5})$/.exec(address ?? '');
  if (!found) return undefined;
  const host = found[1] || pageHost;
  return host ? `stun:${host}:${found[2]}` : undefined;
}
