// How far something has come.

/** share from 0 to 1. label is for screen readers. */
export function Progress({ share, label }: { share: number; label: string }) {
  const value = Math.min(100, Math.max(0, Math.floor(share * 100)));
  return <progress class="progress" max={100} value={value} aria-label={label} data-value={value} />;
}
