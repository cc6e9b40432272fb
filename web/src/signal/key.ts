// The publish key: it comes in the fragment of the address, which browsers send nowhere, and is
// taken out of the address bar at once. It is kept once the server has taken it: for this tab, or
// longer when the person says so.

const NAME = 'fanfare.key';
/** Far longer than any key; it bounds what is stored. */
const LONGEST = 512;

type Keep = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export interface Keeps {
  tab: Keep | undefined;
  device: Keep | undefined;
}

/** The browser's storages; either may be barred. */
export function keeps(): Keeps {
  const open = (get: () => Storage): Storage | undefined => {
    try {
      return get();
    } catch {
      return undefined;
    }
  };
  return { tab: open(() => window.sessionStorage), device: open(() => window.localStorage) };
}

/** The key in a fragment such as "#key=…". Pure. */
export function keyInFragment(fragment: string): string | undefined {
  return tidyKey(new URLSearchParams(fragment.replace(/^#/, '')).get('key') ?? '');
}

/** What a person pastes may be the key or the whole printed address. Pure. */
export function keyInText(text: string): string | undefined {
  const fragment = /#(.*)$/.exec(text.trim())?.[1];
  return fragment?.includes('key=') ? keyInFragment(fragment) : tidyKey(text);
}

function tidyKey(text: string): string | undefined {
  const key = text.trim();
  return key !== '' && key.length <= LONGEST && !/\s/.test(key) ? key : undefined;
}

/** Takes the key out of the address bar, or finds the kept one. */
export function takeKey(location: Location, history: History, keep: Keeps): string | undefined {
  const fresh = keyInFragment(location.hash);
  if (location.hash.includes('key=')) history.replaceState(history.state, '', location.pathname + location.search);
  return fresh ?? keptKey(keep);
}

export function keptKey(keep: Keeps): string | undefined {
  return read(keep.tab) ?? read(keep.device);
}

/** Whether the key stays when the tab is closed. */
export function isKept(keep: Keeps): boolean {
  return read(keep.device) !== undefined;
}

export function keepKey(key: string, remember: boolean, keep: Keeps): void {
  write(keep.tab, key);
  if (remember) write(keep.device, key);
}

export function dropKey(keep: Keeps): void {
  for (const storage of [keep.tab, keep.device]) remove(storage);
}

/** The server does not take this key, so it is kept no longer. Another one stays: a wrong link costs nobody a good key. */
export function dropWrong(key: string, keep: Keeps): void {
  for (const storage of [keep.tab, keep.device]) {
    if (read(storage) === key) remove(storage);
  }
}

function read(storage: Keep | undefined): string | undefined {
  try {
    return tidyKey(storage?.getItem(NAME) ?? '');
  } catch {
    return undefined;
  }
}

function write(storage: Keep | undefined, key: string): void {
  try {
    storage?.setItem(NAME, key);
  } catch {
    // Then it lasts as long as the page.
  }
}

function remove(storage: Keep | undefined): void {
  try {
    storage?.removeItem(NAME);
  } catch {
    // Barred storage holds nothing.
  }
}
