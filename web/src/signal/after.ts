// How something waits. Timers that go on in a hidden page are in timers.ts, which pages load that need them.

/** Calls once, so many ms later or a little more. What it answers takes that back. */
export type After = (ms: number, call: () => void) => () => void;

/** By the page's own thread. */
export const pageTimer: After = (ms, call) => {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
};
