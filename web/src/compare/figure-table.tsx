// A table of figures: its heads, and the rows that it is given.

import type { ComponentChildren } from 'preact';

export function FigureTable({ heads, children }: { heads: readonly string[]; children: ComponentChildren }) {
  return (
    <div class="scroll">
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
    </div>
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
