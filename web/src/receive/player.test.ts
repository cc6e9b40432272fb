import { describe, expect, it } from 'vitest';
import type { Bytes } from '../mesh/bytes';
import { layoutOf, type Manifest } from '../mesh/manifest';
import { Player, type Source } from './player';
import type { Flowing } from './served';

const file = (path: string, size: number) => ({ path, size, mtime: 0 });
const manifest: Manifest = {
  files: [file('a.txt', 10), file('film.mp4', 100), file('b.webm', 5)],
  created: 0,
  text: '',
};
const layout = layoutOf(manifest);

/** Bytes of which so many are here from the beginning of the stream. */
class Coming implements Source {
  until = 0;
  windows: (number | undefined)[] = [];
  here(at: number, most: number): number {
    return Math.max(0, Math.min(most, this.until - at));
  }
  async read(at: number, length: number): Promise<Bytes> {
    return Uint8Array.from({ length }, (_, i) => at + i);
  }
  play(at: number | undefined): void {
    this.windows.push(at);
  }
}

function playing() {
  const source = new Coming();
  const player = new Player(manifest, layout, source);
  player.play(1);
  return { source, player };
}

const bytes = (first: number, end: number): Bytes => Uint8Array.from({ length: end - first }, (_, i) => first + i);

describe('a player', () => {
  it('gets what is here, waits for the rest, and has it asked for first', async () => {
    const { source, player } = playing();
    source.until = 30;
    const flowing = player.answer(1, 'bytes=0-') as Flowing;
    expect(flowing.status).toBe(206);
    expect(flowing.headers['Content-Range']).toBe('bytes 0-99/100');
    expect(await flowing.next()).toEqual(bytes(10, 30));
    let came: Bytes | undefined;
    const next = flowing.next().then((more) => {
      came = more;
    });
    await Promise.resolve();
    expect(came).toBeUndefined();
    expect(source.windows.at(-1)).toBe(30);
    source.until = 200;
    player.news();
    await next;
    expect(came).toEqual(bytes(30, 110));
    expect(await flowing.next()).toBeUndefined();
  });

  it('moves to where it is asked for', async () => {
    const { source, player } = playing();
    source.until = 200;
    const flowing = player.answer(1, 'bytes=90-94') as Flowing;
    expect(await flowing.next()).toEqual(bytes(100, 105));
    expect(await flowing.next()).toBeUndefined();
    expect(source.windows.at(-1)).toBe(100);
  });

  it('is where it asked last, whatever it has left open and goes on taking from', async () => {
    const { source, player } = playing();
    source.until = 30;
    const left = player.answer(1, 'bytes=0-') as Flowing;
    expect(await left.next()).toEqual(bytes(10, 30));
    const jumped = player.answer(1, 'bytes=60-64') as Flowing;
    const taken = jumped.next();
    const more = left.next();
    expect(source.windows.at(-1)).toBe(70);
    source.until = 40;
    player.news();
    expect(await more).toEqual(bytes(30, 40));
    const rest = left.next();
    expect(source.windows.at(-1)).toBe(70);
    source.until = 75;
    player.news();
    expect(await taken).toEqual(bytes(70, 75));
    expect(await rest).toEqual(bytes(40, 75));
    // It has all that it asked for there: the other is where it goes on.
    expect(await jumped.next()).toBeUndefined();
    const last = left.next();
    expect(source.windows.at(-1)).toBe(75);
    left.stop();
    await expect(last).rejects.toThrow();
  });

  it('may have a few requests open, and no more', async () => {
    const { source, player } = playing();
    const all = Array.from({ length: 5 }, (_, i) => player.answer(1, `bytes=${i}-`) as Flowing);
    source.until = 200;
    await expect(all[0]?.next()).rejects.toThrow();
    for (const one of all.slice(1)) expect((await one.next())?.length).toBeGreaterThan(0);
  });

  it('gets nothing of files that are not played, or are no film', () => {
    const { player } = playing();
    expect(player.answer(2, null)).toBeUndefined();
    player.play(0);
    expect(player.answer(0, null)).toBeUndefined();
    expect(player.answer(9, null)).toBeUndefined();
  });

  it.each(['stop', 'play another'] as const)('ends what waits when it is to %s', async (how) => {
    const { source, player } = playing();
    const flowing = player.answer(1, null) as Flowing;
    const waiting = expect(flowing.next()).rejects.toThrow();
    if (how === 'stop') flowing.stop();
    else player.play(2);
    await waiting;
    expect(source.windows).toContain(10);
  });

  it('leaves the order alone when it is closed', () => {
    const { source, player } = playing();
    player.play(undefined);
    expect(source.windows.at(-1)).toBeUndefined();
  });
});
