import { describe, expect, it, vi } from 'vitest';
import { inspect } from './inspect';

vi.mock('mediabunny', () => {
  throw new Error('the chunk could not be loaded');
});

describe('looking into a file', () => {
  it('finds nothing when the parser cannot be loaded', async () => {
    await expect(inspect(new Blob(['x']))).resolves.toBeUndefined();
  });
});
