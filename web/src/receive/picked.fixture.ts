// A person's folder for tests, which keeps what was committed, and forgets the rest, as browsers do.

export class FakeFile {
  readonly kind = 'file';
  bytes = new Uint8Array();
  commits = 0;

  async createWritable({ keepExistingData }: { keepExistingData: boolean }) {
    let copy = keepExistingData ? this.bytes.slice() : new Uint8Array();
    return {
      write: async ({ position, data }: { position: number; data: Uint8Array }) => {
        const size = Math.max(copy.length, position + data.length);
        const next = new Uint8Array(size);
        next.set(copy);
        next.set(data, position);
        copy = next;
      },
      close: async () => {
        this.bytes = copy;
        this.commits += 1;
      },
      abort: async () => undefined,
    };
  }
}

export class FakeFolder {
  readonly kind = 'directory';
  readonly entries = new Map<string, FakeFile | FakeFolder>();

  async getFileHandle(name: string, how?: { create: boolean }): Promise<FakeFile> {
    return this.get(name, how, FakeFile);
  }

  async getDirectoryHandle(name: string, how?: { create: boolean }): Promise<FakeFolder> {
    return this.get(name, how, FakeFolder);
  }

  /** Files by their path, folders that are empty with a slash at their end. */
  all(before = ''): Record<string, number[] | undefined> {
    const out: Record<string, number[] | undefined> = {};
    for (const [name, one] of this.entries) {
      if (one instanceof FakeFile) out[before + name] = [...one.bytes];
      else if (one.entries.size === 0) out[`${before}${name}/`] = undefined;
      else Object.assign(out, one.all(`${before}${name}/`));
    }
    return out;
  }

  private get<T extends FakeFile | FakeFolder>(
    name: string,
    how: { create: boolean } | undefined,
    Kind: new () => T,
  ): T {
    const known = this.entries.get(name);
    if (known instanceof Kind) return known;
    if (known) throw new DOMException('another kind', 'TypeMismatchError');
    if (!how?.create) throw new DOMException('not there', 'NotFoundError');
    const made = new Kind();
    this.entries.set(name, made);
    return made;
  }
}
