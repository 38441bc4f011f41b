/** The alerts of an incident: those that fire first, each with its labels and why. */
import { useState } from 'preact/hooks';
import { tellFault } from '#console/web/data/acts.ts';
import { get } from '#console/web/data/api.ts';
import { useIncidentAlerts } from '#console/web/data/things.ts';
import type { AlertPage, AlertTold } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { Labels } from '#console/web/parts/labels.tsx';
import { Outward } from '#console/web/parts/link.tsx';
import { Show } from '#console/web/parts/states.tsx';
import { Ago } from '#console/web/parts/time.tsx';
import { count } from '#console/web/text/format.ts';
import { below } from '#console/web/text/paged.ts';

export function IncidentAlerts({ id }: { readonly id: string }) {
  const alerts = useIncidentAlerts(id);
  return (
    <section class="panel" aria-labelledby="alerts-title">
      <h2 id="alerts-title">Alerts in it</h2>
      <Show of={alerts}>{(page) => <Alerts id={id} page={page} />}</Show>
    </section>
  );
}

function Alerts({ id, page }: { readonly id: string; readonly page: AlertPage }) {
  const [more, setMore] = useState<{ items: readonly AlertTold[]; cursor: string | null }>();
  const cursor = more === undefined ? page.nextCursor : more.cursor;
  const items = [...page.items, ...below(page.items, more?.items ?? [], ({ fingerprint }) => fingerprint)];
  const next = async () => {
    try {
      const path = `api/v1/incidents/${encodeURIComponent(id)}/alerts`;
      const got = await get<AlertPage>(path, { limit: 50, cursor: cursor ?? undefined });
      setMore({ items: [...(more?.items ?? page.items), ...got.items], cursor: got.nextCursor });
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <>
      <p class="quiet">
        {count(page.firing)} firing, {count(page.resolved)} ended
      </p>
      <ul class="alerts">
        {items.map((alert) => (
          <Alert key={alert.fingerprint} alert={alert} />
        ))}
      </ul>
      {cursor !== null && (
        <button type="button" onClick={() => void next()}>
          More of them
        </button>
      )}
    </>
  );
}

function Alert({ alert }: { readonly alert: AlertTold }) {
  const { labels, annotations, status, startsAt, endsAt, silencedBy, inhibitedBy, generatorUrl } = alert;
  const { alertname = 'alert', ...rest } = labels;
  return (
    <li class="alert">
      <div class="row">
        <Badge tone={status === 'firing' ? toneOf(labels['severity']) : 'ok'}>
          {status === 'firing' ? 'Firing' : 'Ended'}
        </Badge>
        <strong class="foreign clamped">{alertname}</strong>
        <span class="quiet">
          {status === 'firing' ? (
            <>
              for <Ago at={startsAt} after="" />
            </>
          ) : (
            endsAt !== null && <Ago at={endsAt} />
          )}
        </span>
        {silencedBy.length > 0 && <Badge tone="unknown">Silenced</Badge>}
        {inhibitedBy.length > 0 && <Badge tone="unknown">Inhibited</Badge>}
      </div>
      <p class="foreign clamped">{annotations['description'] ?? annotations['summary'] ?? ''}</p>
      <Labels labels={rest} />
      {generatorUrl !== '' && <Outward href={generatorUrl}>Where it comes from</Outward>}
    </li>
  );
}

const toneOf = (severity: string | undefined) =>
  severity === 'critical' || severity === 'warning' ? severity : ('info' as const);
