import { describe, expect, it } from 'vitest';
import { droppedHandles, mayRead, ofHandles } from './handles';

const gone = (): Promise<File> => Promise.reject(new DOMException('gone', 'NotFoundError'));
const file = (name: string, getFile = () => Promise.resolve(new File(['x'], name))) =>
  ({ kind: 'file', name, getFile }) as unknown as FileSystemHandle;

function folder(name: string, ...inside: FileSystemHandle[]): FileSystemHandle {
  async function* values() {
    yield* inside;
  }
  return { kind: 'directory', name, values } as unknown as FileSystemHandle;
}

const locked = {
  ...{ kind: 'directory', name: 'locked' },
  values: () => {
    throw new DOMException('no', 'NotAllowedError');
  },
} as unknown as FileSystemHandle;

const asks = (now: string, then: string) =>
  ({ queryPermission: async () => now, requestPermission: async () => then }) as unknown as FileSystemHandle;

describe('handles', () => {
  it('give files with their paths, empty folders, and say what is gone', async () => {
    const all = folder('photos', file('a.jpg'), folder('empty'), folder('more', file('b.jpg'), file('c.jpg', gone)));
    const found = await ofHandles([all, file('d.txt'), locked]);
    expect(found.filter((one) => !one.unread).map((one) => one.path)).toEqual([
      ...['photos/a.jpg', 'photos/empty/', 'photos/more/b.jpg', 'd.txt'],
    ]);
    expect(found.filter((one) => one.unread).map((one) => one.path)).toEqual(['photos/more/c.jpg', 'locked/']);
    expect(found[1]?.file).toBeUndefined();
  });

  it('may be read when the browser says so, or the person', async () => {
    expect(await mayRead([])).toBe(true);
    expect(await mayRead([asks('granted', 'denied'), asks('prompt', 'granted')])).toBe(true);
    expect(await mayRead([asks('granted', 'granted'), asks('prompt', 'denied')])).toBe(false);
    expect(await mayRead([file('a')])).toBe(true); // a browser that asks nothing
  });

  it('of what was dropped are all or none', async () => {
    const item = (handle?: FileSystemHandle | null) => ({ kind: 'file', getAsFileSystemHandle: async () => handle });
    const dropped = (...items: unknown[]) => droppedHandles({ items } as unknown as DataTransfer);
    const one = file('a');
    expect(await dropped(item(one), { kind: 'string' })).toEqual([one]);
    expect(await dropped(item(one), item(null))).toEqual([]);
    expect(await dropped({ kind: 'file' })).toEqual([]);
  });
});
