// A table of figures: its heads, and the rows that it is given.

import type { ComponentChildren } from 'preact';

/** On a narrow page it is moved sideways, by the keyboard too. */
export function FigureTable({
  label,
  heads,
  children,
}: {
  label: string;
  heads: readonly string[];
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scroll" tabIndex={0} aria-label={label}>
      <table class="figure">
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** The cells of a row behind its head. */
export function FigureCells({ heads, cells }: { heads: readonly string[]; cells: readonly string[] }) {
  return (
    <>
      {cells.map((cell, i) => (
        <td key={heads[i + 1]}>{cell}</td>
      ))}
    </>
  );
}
