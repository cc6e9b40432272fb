// A border in a recording that some players do not get over. Pure.

/** Of a Cluster and of its Timestamp (RFC 9559); browsers count that in milliseconds. */
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75];
const TIMESTAMP = 0xe7;
/** What begins so much before the end is something else than rounding and a picture that came early. ms */
const MOST = 100;

/**
 * When these bytes begin with a cluster that starts a little before the end of what has come (in s), it is moved there,
 * in place. How long the last picture lasts is a guess until the next one is there, so that they seem to overlap by a
 * millisecond or some. Firefox then drops all that follows up to a key frame, of which its own recorder makes one in 7.5 s.
 */
export function joinCluster(bytes: Uint8Array, end: number): void {
  if (CLUSTER.some((byte, i) => bytes[i] !== byte)) return;
  const size = Math.clz32(bytes[4] ?? 0) - 24 + 1; // bytes of the cluster's size
  const at = 4 + size;
  const width = (bytes[at + 1] ?? 0) - 0x80;
  if (bytes[at] !== TIMESTAMP || width < 1 || width > 6 || bytes.length < at + 2 + width) return;
  const field = bytes.subarray(at + 2, at + 2 + width);
  const begins = field.reduce((n, byte) => n * 256 + byte, 0);
  const wanted = Math.ceil(end * 1000 - 0.001);
  if (wanted <= begins || wanted > begins + MOST || wanted >= 256 ** width) return;
  for (let i = width - 1, left = wanted; i >= 0; i--, left = Math.floor(left / 256)) field[i] = left % 256;
}
