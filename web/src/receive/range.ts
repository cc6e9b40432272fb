// What a player asks for: one range of bytes of a file (RFC 9110, section 14). Pure.

/** Bytes from first to the one before end. */
export interface Range {
  first: number;
  end: number;
}

/**
 * The range that a Range header asks for, of a file of so many bytes: undefined where it asks for no
 * part, since there is no header or it is none of one range of bytes. "unsatisfiable" where the file
 * has no such bytes.
 */
export function rangeOf(header: string | null, size: number): Range | 'unsatisfiable' | undefined {
  const parts = /^bytes=(\d{0,15})-(\d{0,15})$/u.exec(header ?? '');
  const [, from = '', to = ''] = parts ?? [];
  if (!parts || (from === '' && to === '')) return undefined;
  if (from === '') {
    const length = Math.min(size, Number(to));
    return length > 0 ? { first: size - length, end: size } : 'unsatisfiable';
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= size) return 'unsatisfiable';
  return { first, end: to === '' ? size : Math.min(size, Number(to) + 1) };
}

export interface Head {
  status: number;
  headers: Record<string, string>;
  /** What the body has to hold. */
  body: Range;
}

/**
 * The head of an answer with a file, or with the part of it that is asked for. Whatever is in the file,
 * it is never a page of ours.
 */
export function headOf(header: string | null, size: number, type: string): Head {
  const range = rangeOf(header, size);
  const headers: Record<string, string> = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Content-Type': type,
    'X-Content-Type-Options': 'nosniff',
  };
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...headers, 'Content-Range': `bytes */${size}` }, body: { first: 0, end: 0 } };
  }
  const body = range ?? { first: 0, end: size };
  headers['Content-Length'] = String(body.end - body.first);
  if (range) headers['Content-Range'] = `bytes ${body.first}-${body.end - 1}/${size}`;
  return { status: range ? 206 : 200, headers, body };
}

/** What browsers may be able to play while it comes. The picture of no other type is looked at. */
const TYPES: Readonly<Record<string, string>> = {
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  ogv: 'video/ogg',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  flac: 'audio/flac',
  wav: 'audio/wav',
};

/** The type of a file that players know, by its name. */
export function mediaType(path: string): string | undefined {
  return TYPES[/\.([a-z0-9]{3,4})$/iu.exec(path)?.[1]?.toLowerCase() ?? ''];
}
