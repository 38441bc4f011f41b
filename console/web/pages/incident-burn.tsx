/** How its objective burned around an incident. */
import { useMemo } from 'preact/hooks';
import { routerNow } from '#console/web/data/now.ts';
import { useBurn, useSlo } from '#console/web/data/things.ts';
import type { IncidentDetail } from '#console/web/data/wire.ts';
import { Chart } from '#console/web/parts/chart.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { Bones, Show } from '#console/web/parts/states.tsx';
import { burnChart, levelOf, rateWords } from '#console/web/text/burn-chart.ts';

const HOUR = 3_600_000;
const STEPS = 180;

export function IncidentBurn({ incident, id }: { readonly incident: IncidentDetail; readonly id: string }) {
  const range = () => {
    const from = Date.parse(incident.openedAt) - HOUR;
    const ended = incident.resolvedAt === null ? routerNow() : Date.parse(incident.resolvedAt) + HOUR / 2;
    const to = Math.min(ended, routerNow());
    const step = Math.max(15, Math.ceil((to - from) / 1_000 / STEPS));
    return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), step };
  };
  const burn = useBurn(id, range, `incident/${incident.id}/${incident.resolvedAt}`);
  const slo = useSlo(id).state.value;
  const known = burn.state.value;
  const { openedAt, acknowledgedAt, resolvedAt } = incident;
  // The objective is asked for often, and its rules hardly ever change: a chart that is drawn anew loses its cursor.
  const rules = slo.kind === 'ready' ? JSON.stringify(slo.value.rules.map(levelOf)) : undefined;
  const chart = useMemo(
    () =>
      known.kind === 'ready' && slo.kind === 'ready'
        ? burnChart(known.value, slo.value.rules, marksOf(incident))
        : undefined,
    [known, rules, openedAt, acknowledgedAt, resolvedAt],
  );
  return (
    <section class="panel" aria-labelledby="burn-title">
      <h2 id="burn-title">
        Burn rate of <Link to={`objectives/${encodeURIComponent(id)}`}>{id}</Link>
      </h2>
      {slo.kind === 'ready' && slo.value.because !== null && <p class="foreign">{slo.value.because}</p>}
      <Show of={burn} bones={<Bones rows={1} height="16rem" />}>
        {() => chart && <Chart label={`Burn rate of ${id}`} {...chart} scale="log" format={rateWords} />}
      </Show>
    </section>
  );
}

function marksOf({ openedAt, acknowledgedAt, resolvedAt }: IncidentDetail) {
  const mark = (at: string | null, label: string, tone: string) =>
    at === null ? [] : [{ at: Date.parse(at) / 1_000, label, tone }];
  return [
    ...mark(openedAt, 'opened', 'critical'),
    ...mark(acknowledgedAt, 'acknowledged', 'accent'),
    ...mark(resolvedAt, 'resolved', 'ok'),
  ];
}
