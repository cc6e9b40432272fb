// Keeps what was asked for of late, and no more than a number of things.

export class Lately<T> {
  private readonly places: number;
  private readonly gone: (key: number) => void;
  /** The one used last is the last. */
  private readonly all = new Map<number, Promise<T>>();

  /** gone: hears of what is not kept any more. */
  constructor(places: number, gone: (key: number) => void = () => undefined) {
    this.places = places;
    this.gone = gone;
  }

  /** What is kept under a key, or made now. What fails is not kept. */
  get(key: number, make: () => Promise<T>): Promise<T> {
    const one = this.all.get(key) ?? make();
    this.all.delete(key);
    this.all.set(key, one);
    one.catch(() => this.drop(key, one));
    for (const [oldest, its] of this.all) {
      if (this.all.size <= this.places) break;
      this.drop(oldest, its);
    }
    return one;
  }

  has(key: number): boolean {
    return this.all.has(key);
  }

  delete(key: number): void {
    if (this.all.delete(key)) this.gone(key);
  }

  private drop(key: number, one: Promise<T>): void {
    if (this.all.get(key) === one) this.delete(key);
  }
}
