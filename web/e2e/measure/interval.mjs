// What several runs say together: their median, and between which of them the true one lies.

/** Between the two nearest ranks. @param {readonly number[]} all @param {number} q */
export function quantile(all, q) {
  const sorted = [...all].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  return low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? low) - low);
}

/**
 * The narrowest interval of order statistics that holds the median with at least 95 %, which takes six; of fewer,
 * from the least to the greatest, with what that is worth.
 * @param {readonly number[]} all
 */
export function between(all) {
  const sorted = [...all].sort((a, b) => a - b);
  const n = sorted.length;
  // Of n fair coins: exactly so many heads, and at most so many.
  let [rank, term, tail] = [0, 0.5 ** n, 0.5 ** n];
  for (;;) {
    const next = (term * (n - rank)) / (rank + 1);
    if (2 * (tail + next) > 0.05 || 2 * (rank + 1) >= n) break;
    [rank, term, tail] = [rank + 1, next, tail + next];
  }
  return { low: sorted[rank] ?? Number.NaN, high: sorted[n - 1 - rank] ?? Number.NaN, confidence: Math.max(0, 1 - 2 * tail) };
}
