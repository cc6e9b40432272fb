// Whether the page was out of sight at any moment of a time. Browsers draw no pictures for nobody and slow the
// timers of hidden tabs, so what was measured meanwhile is nothing that a viewer sees.

/** What it asks of a document. */
export type Seen = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;

export class Sight {
  private readonly page: Seen;
  private lost: boolean;
  private readonly look = (): void => {
    this.lost ||= this.page.visibilityState === 'hidden';
  };

  /** The time begins. */
  constructor(page: Seen) {
    this.page = page;
    this.lost = page.visibilityState === 'hidden';
    page.addEventListener('visibilitychange', this.look);
  }

  /** The time ends: whether the page was hidden in it, be it for a moment. */
  end(): boolean {
    this.page.removeEventListener('visibilitychange', this.look);
    return this.lost;
  }
}
