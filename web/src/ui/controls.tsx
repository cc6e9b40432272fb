// Buttons, fields and badges. Each takes what the element takes, and sees to name, size and state.

import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

type Variant = 'primary' | 'secondary' | 'ghost' | 'danger';

type ButtonProps = Omit<JSX.IntrinsicElements['button'], 'class' | 'type' | 'icon'> & {
  variant?: Variant;
  large?: boolean;
  /** An element of icons.tsx, before the words. */
  icon?: ComponentChildren;
  /** Under way: it keeps its place and its words, and cannot be pressed again. */
  busy?: boolean;
  submit?: boolean;
};

export function Button({ variant = 'secondary', large, icon, busy, submit, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={submit ? 'submit' : 'button'}
      class={`button ${variant}${large ? ' large' : ''}`}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon}
      {children}
    </button>
  );
}

/** A link that looks like a button, for going somewhere. */
export function ButtonLink({
  variant = 'secondary',
  large,
  icon,
  children,
  ...rest
}: {
  href: string;
  target?: string;
  rel?: string;
  variant?: Variant;
  large?: boolean;
  icon?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <a {...rest} class={`button ${variant}${large ? ' large' : ''}`}>
      {icon}
      {children}
    </a>
  );
}

/** A button with an icon alone; label is its name and its tooltip. */
export function IconButton({
  label,
  hint,
  children,
  pressed,
  ...rest
}: Omit<JSX.IntrinsicElements['button'], 'class' | 'label' | 'type'> & {
  label: string;
  /** Added to the tooltip, for example the key that does the same. */
  hint?: string;
  /** For buttons that switch something: their state. */
  pressed?: boolean;
}) {
  return (
    <button
      {...rest}
      type="button"
      class="button ghost icon"
      aria-label={label}
      title={hint ? `${label} (${hint})` : label}
      aria-pressed={pressed}
    >
      {children}
    </button>
  );
}

/** A field with its label, hint and error. children is given the id for its input and the ids that describe it. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  children: (props: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': boolean;
  }) => ComponentChildren;
}) {
  const id = useId();
  const described = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': Boolean(error) })}
      {error ? (
        <p class="error" id={`${id}-error`} role="alert">
          {error}
        </p>
      ) : hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

/** On or off, at once. */
export function Switch({
  checked,
  disabled,
  onChange,
  children,
  testid,
}: {
  checked: boolean;
  disabled?: boolean;
  /** data-testid of the checkbox. */
  testid?: string;
  onChange(checked: boolean): void;
  children: ComponentChildren;
}) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        disabled={disabled ?? false}
        data-testid={testid}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{children}</span>
    </label>
  );
}

/** A slider; values as in <input type="range">. */
export function Range({
  label,
  value,
  max,
  step,
  text,
  onInput,
  disabled,
  testid,
}: {
  label: string;
  value: number;
  max: number;
  step: number;
  /** What a screen reader says for the value. */
  text?: string;
  onInput(value: number): void;
  disabled?: boolean;
  /** data-testid of the input. */
  testid?: string;
}) {
  return (
    <input
      class="range"
      type="range"
      aria-label={label}
      aria-valuetext={text}
      min={0}
      max={max}
      step={step}
      value={value}
      disabled={disabled ?? false}
      data-testid={testid}
      ref={(element) => element?.style.setProperty('--fill', String(max > 0 ? value / max : 0))}
      onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
    />
  );
}

export function Badge({ tone, children }: { tone?: 'live' | 'good' | 'warn' | 'bad'; children: ComponentChildren }) {
  return <span class={`badge${tone ? ` ${tone}` : ''}`}>{children}</span>;
}
