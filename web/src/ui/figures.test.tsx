import { describe, expect, it } from 'vitest';
import { FiguresPanel } from './figures';

describe('the panel with the figures', () => {
  it('has what the page itself knows, with a connection to measure or without', () => {
    const shown = FiguresPanel({ figures: undefined, first: 'of the page' });
    expect(JSON.stringify(shown)).toMatch(/of the page.*No live connection to measure/);
    expect(JSON.stringify(FiguresPanel({ figures: undefined }))).toMatch(/No connection to measure yet/);
  });
});
