/** Everything that was sent, to whom, and what came of it. */
import { usePaged } from '#console/web/data/paged.ts';
import type { Notification } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { Choice, More, useFilters } from '#console/web/parts/filters.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { type Column, Table } from '#console/web/parts/table.tsx';
import { At } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { Wide } from '#console/web/parts/wide.tsx';
import { notificationTone, sentWords } from '#console/web/text/words.ts';

const STATES = [
  ['', 'All'],
  ['pending', 'Waiting'],
  ['delivered', 'Delivered'],
  ['refused', 'Refused'],
  ['superseded', 'Superseded'],
] as const;
const CHANNELS = [
  ['', 'Every channel'],
  ['pagerduty', 'PagerDuty'],
  ['slack', 'Slack'],
  ['email', 'E-mail'],
  ['webhook', 'Webhook'],
] as const;

export function NotificationsPage() {
  useTitle('Notifications');
  const [{ state, channel }, set] = useFilters(['state', 'channel']);
  const query = { limit: 100, ...(state === '' ? {} : { state }), ...(channel === '' ? {} : { channel }) };
  const { first, rest, more } = usePaged<Notification>('api/v1/notifications', query, {
    every: 30_000,
    on: ['notification'],
  });
  return (
    <div class="stack">
      <h1>Notifications</h1>
      <div class="row">
        <Choice label="State" value={state} options={STATES} onChange={(value) => set('state', value)} />
        <Choice label="Channel" value={channel} options={CHANNELS} onChange={(value) => set('channel', value)} />
      </div>
      <Wide class="panel" label="Sent">
        <Show of={first}>{({ items }) => <List items={[...items, ...rest]} />}</Show>
      </Wide>
      <More more={more} />
    </div>
  );
}

const COLUMNS: readonly Column<Notification>[] = [
  { head: 'At', cell: ({ createdAt }) => <At at={createdAt} /> },
  { head: 'What', cell: ({ action }) => action },
  {
    head: 'To',
    cell: ({ destination, channel }) => (
      <>
        <span class="foreign">{destination}</span> <span class="quiet">{channel}</span>
      </>
    ),
  },
  {
    head: 'Outcome',
    cell: (one) => (
      <>
        <Badge tone={notificationTone(one)}>{one.state}</Badge> <span class="quiet foreign">{sentWords(one)}</span>
      </>
    ),
  },
  {
    head: 'Incident',
    cell: ({ incident }) =>
      incident === null ? <span class="quiet">none</span> : <Link to={`incidents/${incident}`}>open it</Link>,
  },
];

function List({ items }: { readonly items: readonly Notification[] }) {
  if (items.length === 0) return <Empty big="Nothing was sent">{undefined}</Empty>;
  return <Table items={items} keyOf={({ id }) => id} columns={COLUMNS} />;
}
