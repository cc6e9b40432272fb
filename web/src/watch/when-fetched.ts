// Messages that wait for the code that they need.

export class WhenFetched<Code, Message> {
  private readonly fetch: () => Promise<Code>;
  private readonly take: (code: Code, message: Message) => void;
  private readonly failed: (message: Message) => void;
  private code: Code | undefined;
  private waiting: Message[] | undefined;

  /** failed: the code did not come, and the message is lost. The next one has it fetched again. */
  constructor(
    fetch: () => Promise<Code>,
    take: (code: Code, message: Message) => void,
    failed: (message: Message) => void,
  ) {
    this.fetch = fetch;
    this.take = take;
    this.failed = failed;
  }

  /** Messages are taken in their order, at once when the code is there. */
  hear(message: Message): void {
    if (this.code !== undefined) this.take(this.code, message);
    else if (this.waiting) this.waiting.push(message);
    else this.begin(message);
  }

  private begin(message: Message): void {
    this.waiting = [message];
    this.fetch().then(
      (code) => {
        this.code = code;
        for (const one of this.all()) this.take(code, one);
      },
      () => {
        for (const one of this.all()) this.failed(one);
      },
    );
  }

  private all(): Message[] {
    const all = this.waiting ?? [];
    this.waiting = undefined;
    return all;
  }
}
