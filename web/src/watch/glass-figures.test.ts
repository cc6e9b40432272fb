import { describe, expect, it } from 'vitest';
import { whyUnknown } from './glass-figures';

const delay = { median: 120, p95: 150, of: 30 };

describe('a delay that is not known', () => {
  it('has its reason in words, which holds for the demo too', () => {
    expect(whyUnknown({ byStrip: undefined, byCapture: undefined })).toMatch(
      /“Show the time in the picture”.*as the demo is, has none\.$/,
    );
    expect(whyUnknown({ byStrip: undefined, byCapture: delay })).toMatch(/by capture time does without/);
  });

  it('is explained no more when the picture tells it', () => {
    expect(whyUnknown({ byStrip: delay, byCapture: undefined })).toBeUndefined();
  });
});
