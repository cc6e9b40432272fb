import { describe, expect, it } from 'vitest';
import { headOf, mediaType, type Range, rangeOf } from './range';

describe('what a player asks for', () => {
  const cases: [string | null, Range | 'unsatisfiable' | undefined][] = [
    [null, undefined],
    ['', undefined],
    ['bytes=0-', { first: 0, end: 1000 }],
    ['bytes=0-0', { first: 0, end: 1 }],
    ['bytes=500-999', { first: 500, end: 1000 }],
    ['bytes=500-5000', { first: 500, end: 1000 }],
    ['bytes=999-', { first: 999, end: 1000 }],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=-1', { first: 999, end: 1000 }],
    ['bytes=-5000', { first: 0, end: 1000 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=-', undefined],
    ['bytes=5-4', undefined],
    ['bytes=0-1,4-5', undefined],
    ['lines=0-1', undefined],
    ['bytes=0x1-', undefined],
    ['bytes=1e3-', undefined],
    ['bytes=9999999999999999-', undefined],
  ];
  it.each(cases)('%s', (header, range) => {
    expect(rangeOf(header, 1000)).toEqual(range);
  });

  it('nothing of an empty file can be had in parts', () => {
    expect(rangeOf('bytes=0-', 0)).toBe('unsatisfiable');
  });

  it('whatever is asked, no byte outside of the file is answered', () => {
    const digits = ['', '0', '1', '7', '99', '100', '101', '999999999999999'];
    for (const from of digits)
      for (const to of digits) {
        const { status, body } = headOf(`bytes=${from}-${to}`, 100, 'video/mp4');
        expect(body.first).toBeGreaterThanOrEqual(0);
        expect(body.end).toBeLessThanOrEqual(100);
        expect(body.end - body.first).toBeGreaterThanOrEqual(status === 416 ? 0 : 1);
      }
  });
});

describe('the head of an answer', () => {
  it.each([
    [null, 200, '1000', undefined],
    ['bytes=100-', 206, '900', 'bytes 100-999/1000'],
    ['bytes=1000-', 416, undefined, 'bytes */1000'],
  ])('%s', (header, status, length, range) => {
    const head = headOf(header, 1000, 'video/mp4');
    expect(head.status).toBe(status);
    expect(head.headers['Content-Length']).toBe(length);
    expect(head.headers['Content-Range']).toBe(range);
  });

  it('makes no page of what is in a file', () => {
    const { headers } = headOf(null, 10, 'video/mp4');
    expect(headers['X-Content-Type-Options']).toBe('nosniff');
    expect(headers['Content-Security-Policy']).toMatch(/^sandbox;/u);
  });
});

it.each([
  ['film.mp4', 'video/mp4'],
  ['a/b/FILM.WebM', 'video/webm'],
  ['song.opus', 'audio/ogg'],
  ['page.html', undefined],
  ['picture.svg', undefined],
  ['mp4', undefined],
  ['film.mp4/', undefined],
  ['film.constructor', undefined],
])('the type of %s', (path, type) => {
  expect(mediaType(path)).toBe(type);
});
