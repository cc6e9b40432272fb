/** What the tab is called, so that it is found among others. */
export function titleOfPage(phase: string, title: string, background: boolean): string {
  const name = title ? `${title} – Fanfare` : 'Studio – Fanfare';
  if (phase === 'live' || phase === 'recoding')
    return background ? `● Live in the background – ${name}` : `● Live – ${name}`;
  if (phase === 'paused' || phase === 'reconnecting')
    return `${phase === 'paused' ? 'Paused' : 'Reconnecting'} – ${name}`;
  return name;
}
