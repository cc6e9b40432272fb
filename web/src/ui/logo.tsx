// The mark: an F whose arms open like the bells of two horns. The same drawing is in public/favicon.svg.

export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect class="tile" width="32" height="32" rx="8.5" />
      <g class="horn">
        <path d="M8.8 7v18h2V7z" />
        <path d="M10.3 9c6.5 0 11-1.1 14-3.3v10.2c-3-2.2-7.5-3.1-14-3.1z" />
        <path d="M10.3 18.4c4 0 6.9-.6 8.9-2v7.7c-2-1.4-4.9-2.1-8.9-2.1z" />
      </g>
    </svg>
  );
}

export function Wordmark() {
  return (
    <a class="wordmark" href="/" aria-label="Fanfare, home">
      <Mark />
      <span>Fanfare</span>
    </a>
  );
}
