// The clock of Timers, in a thread of its own. It knows nothing of what is timed.

export interface TimerOrder {
  id: number;
  ms: number;
}

self.addEventListener('message', ({ data: { id, ms } }: MessageEvent<TimerOrder>) => {
  setTimeout(() => self.postMessage(id), ms);
});
