import { expect, it } from 'vitest';
import { watchTarget } from './target';

const ORIGIN = 'https://video.test';

it.each([
  ['demo', '/w/demo'],
  ['  aB_-9  ', '/w/aB_-9'],
  ['/w/film', '/w/film'],
  ['https://video.test/w/film', '/w/film'],
  ['https://video.test/w/film/', '/w/film'],
  ['https://video.test/whep/film', '/w/film'],
  ['http://192.0.2.7:8080/w/film?x=1#y', 'http://192.0.2.7:8080/w/film'],
  ['192.0.2.7:8080/w/film', 'http://192.0.2.7:8080/w/film'],
  ['https://video.test/f/room#v1.a.b', '/f/room#v1.a.b'],
  ['http://192.0.2.7:8080/f/room#v1.a.b', 'http://192.0.2.7:8080/f/room#v1.a.b'],
  ['https://video.test/f/room', undefined],
  ['', undefined],
  ['two words', undefined],
  ['javascript:alert(1)', undefined],
  ['javascript://video.test/w/film', undefined],
  ['https://video.test/', undefined],
  ['https://video.test/w/a/b', undefined],
  ['https://video.test/w/%3Cb%3E', undefined],
  ['x'.repeat(65), undefined],
])('%s', (typed, want) => {
  expect(watchTarget(typed, ORIGIN)).toBe(want);
});
