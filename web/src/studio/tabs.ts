// Whether another tab of this browser has this stream open already. Opening the studio once
// more must not take the stream away from the tab that is live; it begins a stream of its own.

const CHANNEL = 'fanfare-studio';
/** How long the other tab may take to answer. ms */
const PATIENCE = 250;

interface Note {
  ask?: string;
  mine?: string;
}

export class Tabs {
  private readonly channel: BroadcastChannel | undefined;
  private readonly heard = new Set<(note: Note) => void>();

  /** mine: the name of the stream that this tab has open. */
  constructor(mine: () => string | undefined) {
    this.channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(CHANNEL) : undefined;
    this.channel?.addEventListener('message', (event: MessageEvent<Note>) => {
      const asked = event.data.ask;
      if (asked && asked === mine()) this.channel?.postMessage({ mine: asked } satisfies Note);
      for (const hear of this.heard) hear(event.data);
    });
  }

  isTaken(name: string): Promise<boolean> {
    const channel = this.channel;
    if (!channel || name === '') return Promise.resolve(false);
    return new Promise((resolve) => {
      const answer = (taken: boolean): void => {
        this.heard.delete(hear);
        clearTimeout(timer);
        resolve(taken);
      };
      const hear = (note: Note): void => {
        if (note.mine === name) answer(true);
      };
      const timer = setTimeout(() => answer(false), PATIENCE);
      this.heard.add(hear);
      channel.postMessage({ ask: name } satisfies Note);
    });
  }

  close(): void {
    this.channel?.close();
  }
}
