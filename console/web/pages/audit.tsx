/** Who did what. */
import { usePaged } from '#console/web/data/paged.ts';
import type { AuditEntry } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { More } from '#console/web/parts/filters.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
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

function List({ items }: { readonly items: readonly AuditEntry[] }) {
  if (items.length === 0) return <Empty big="Nothing has been done yet">{undefined}</Empty>;
  return (
    <table class="narrow-cards">
      <thead>
        <tr>
          <th scope="col">At</th>
          <th scope="col">Who</th>
          <th scope="col">Did</th>
          <th scope="col">To what</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ id, at, subject, action, target, outcome }) => (
          <tr key={id}>
            <td>
              <At at={at} />
            </td>
            <td class="foreign">{subject}</td>
            <td>{action}</td>
            <td class="foreign">{target}</td>
            <td>
              <Badge tone={TONES[outcome] ?? 'warning'}>{outcome}</Badge>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
