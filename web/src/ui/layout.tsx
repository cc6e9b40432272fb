// What pages are put together from: header, footer, notices, dialogs, announcements.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { IconButton } from './controls';
import { CloseIcon, GoodIcon, InfoIcon, WarningIcon } from './icons';
import { Wordmark } from './logo';

/** The header: the wordmark, and what belongs to the page at its end. */
export function Top({ children }: { children?: ComponentChildren }) {
  return (
    <header class="top">
      <Wordmark />
      {children ? <div class="end">{children}</div> : null}
    </header>
  );
}

/** A page of text and cards. */
export function Page({ narrow, children }: { narrow?: boolean; children: ComponentChildren }) {
  return <main class={narrow ? 'page narrow' : 'page'}>{children}</main>;
}

export type Tone = 'info' | 'good' | 'warn' | 'bad';

/** Something that people should know, where it concerns them. Errors are announced at once, all else politely. */
export function Notice({
  tone = 'info',
  title,
  children,
}: {
  tone?: Tone;
  title?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {tone === 'good' ? <GoodIcon /> : tone === 'info' ? <InfoIcon /> : <WarningIcon />}
      {title ? <p class="title">{title}</p> : null}
      {children ? <div class="body">{children}</div> : null}
    </div>
  );
}

/** A dialog of the browser's own: focus is kept inside and given back, Escape closes. */
export function Dialog({
  open,
  title,
  onClose,
  children,
}: {
  open: boolean;
  title: string;
  onClose(): void;
  children: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (open && !dialog?.open) dialog?.showModal();
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  return (
    <dialog class="dialog" ref={element} aria-labelledby={id} onClose={onClose}>
      <div class="inner">
        <div class="title">
          <h2 id={id}>{title}</h2>
          <IconButton label="Close" onClick={onClose}>
            <CloseIcon />
          </IconButton>
        </div>
        {open ? children : null}
      </div>
    </dialog>
  );
}

/** Says changes of state to screen readers, without interrupting them. */
export function Announcer({ text }: { text: string }) {
  return (
    <div class="said" role="status" aria-live="polite">
      {text}
    </div>
  );
}
