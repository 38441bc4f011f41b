/** Who did what. */
import { usePaged } from '#console/web/data/paged.ts';
import type { AuditEntry } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { More } from '#console/web/parts/filters.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { type Column, Table } from '#console/web/parts/table.tsx';
import { At } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { Wide } from '#console/web/parts/wide.tsx';

const TONES: Readonly<Record<string, 'ok' | 'warning' | 'critical'>> = {
  done: 'ok',
  refused: 'warning',
  failed: 'critical',
};

export function AuditPage() {
  useTitle('Audit');
  const { first, rest, more } = usePaged<AuditEntry>('api/v1/audit', { limit: 100 }, { every: 15_000 });
  return (
    <div class="stack">
      <h1>Audit trail</h1>
      <Wide class="panel" label="What was done">
        <Show of={first}>{({ items }) => <List items={[...items, ...rest]} />}</Show>
      </Wide>
      <More more={more} />
    </div>
  );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { head: 'At', cell: ({ at }) => <At at={at} /> },
  { head: 'Who', class: 'foreign', cell: ({ subject }) => subject },
  { head: 'Did', cell: ({ action }) => action },
  { head: 'To what', class: 'foreign', cell: ({ target }) => target },
  { head: 'Outcome', cell: ({ outcome }) => <Badge tone={TONES[outcome] ?? 'warning'}>{outcome}</Badge> },
];

function List({ items }: { readonly items: readonly AuditEntry[] }) {
  if (items.length === 0) return <Empty big="Nothing has been done yet">{undefined}</Empty>;
  return <Table items={items} keyOf={({ id }) => id} columns={COLUMNS} />;
}
