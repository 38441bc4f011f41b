/** A table by its columns. On a phone it is read down, not across: each row is a card, in which numbers bear their names. */
import type { ComponentChildren } from 'preact';

export type Column<T> = {
  readonly head: string;
  readonly isNumber?: boolean;
  readonly class?: string;
  readonly cell: (item: T) => ComponentChildren;
};

type Props<T> = {
  readonly items: readonly T[];
  readonly keyOf: (item: T, i: number) => string | number;
  readonly columns: readonly Column<T>[];
};

export const Table = <T,>({ items, keyOf, columns }: Props<T>) => (
  <table class="narrow-cards">
    <thead>
      <tr>
        {columns.map(({ head, isNumber }) => (
          <th key={head} scope="col" class={isNumber ? 'number' : undefined}>
            {head}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {items.map((item, i) => (
        <tr key={keyOf(item, i)}>
          {columns.map(({ head, isNumber, class: more, cell }) => (
            <td key={head} class={isNumber ? 'number' : more} data-label={isNumber ? head : undefined}>
              {cell(item)}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);
