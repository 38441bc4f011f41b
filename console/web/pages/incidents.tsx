/** All incidents, the newest first. */

import { now } from '#console/web/data/now.ts';
import { usePaged } from '#console/web/data/paged.ts';
import type { Incident } from '#console/web/data/wire.ts';
import { Badge, SeverityBadge, StateBadge, toneOfIncident } from '#console/web/parts/badges.tsx';
import { Choice, More, useFilters } from '#console/web/parts/filters.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { At } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { span } from '#console/web/text/format.ts';

const STATES = [
  ['', 'All'],
  ['open', 'Open'],
  ['acknowledged', 'Acknowledged'],
  ['snoozed', 'Snoozed'],
  ['resolved', 'Resolved'],
] as const;

export function IncidentsPage() {
  useTitle('Incidents');
  const [{ state }, set] = useFilters(['state']);
  const query = { limit: 50, ...(state === '' ? {} : { state }) };
  const { first, rest, more } = usePaged<Incident>('api/v1/incidents', query, { every: 60_000, on: ['incident'] });
  return (
    <div class="stack">
      <h1>Incidents</h1>
      <Choice label="State" value={state} options={STATES} onChange={(value) => set('state', value)} />
      <Show of={first}>{({ items }) => <List items={[...items, ...rest]} isFiltered={state !== ''} />}</Show>
      <More more={more} />
    </div>
  );
}

function List({ items, isFiltered }: { readonly items: readonly Incident[]; readonly isFiltered: boolean }) {
  if (items.length === 0) {
    return (
      <div class="panel">
        <Empty big={isFiltered ? 'None is in this state' : 'There has been none yet'} />
      </div>
    );
  }
  return (
    <ul class="cards">
      {items.map((incident) => (
        <li key={incident.id} class={`panel toned ${toneOfIncident(incident)}`}>
          <div class="row">
            <SeverityBadge severity={incident.severity} />
            <StateBadge {...incident} />
            {incident.drill && <Badge tone="info">Drill</Badge>}
            <span class="quiet">
              <At at={incident.openedAt} />, {lasted(incident)}
            </span>
          </div>
          <Link to={`incidents/${incident.id}`} class="incident-title foreign clamped">
            #{incident.number} {incident.title}
          </Link>
          <span class="quiet foreign">
            {incident.service}
            {incident.acknowledgedBy !== null && ` · ${incident.acknowledgedBy}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

function lasted({ openedAt, resolvedAt }: Incident): string {
  const began = Date.parse(openedAt);
  return resolvedAt === null ? `for ${span(now.value - began)}` : `lasted ${span(Date.parse(resolvedAt) - began)}`;
}
