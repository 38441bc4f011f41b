/** One objective: is it kept, what is left of its budget, what ate it, and why it is judged as it is. */

import { useMemo, useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import { routerNow } from '#console/web/data/now.ts';
import { useBurn, useChanges, useIncidents, useSlo } from '#console/web/data/things.ts';
import type { Change, Incident, SloDetail } from '#console/web/data/wire.ts';
import { SeverityBadge, SloBadge, StateBadge, toneOfSlo } from '#console/web/parts/badges.tsx';
import { BudgetBar, budgetWords } from '#console/web/parts/budget.tsx';
import { Chart } from '#console/web/parts/chart.tsx';
import { Link, Outward } from '#console/web/parts/link.tsx';
import { Bones, Empty, Show } from '#console/web/parts/states.tsx';
import { Ago, At, Until } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { Wide } from '#console/web/parts/wide.tsx';
import { budgetChart, burnChart, levelOf, type Mark, rateWords } from '#console/web/text/burn-chart.ts';
import { count, percent, span, tidy, times } from '#console/web/text/format.ts';

export function ObjectivePage() {
  const { params } = useRoute();
  const id = params['id'] ?? '';
  return <OneObjective key={id} id={id} />;
}

function OneObjective({ id }: { readonly id: string }) {
  useTitle(id);
  const slo = useSlo(id);
  const state = slo.state.value;
  if (state.kind === 'failed' && state.problem.status === 404) {
    return (
      <Empty isPage big="There is no such objective">
        <p>
          This router does not watch <span class="foreign">{id}</span>. <Link to="">All objectives</Link>
        </p>
      </Empty>
    );
  }
  return <Show of={slo}>{(whole) => <Whole slo={whole} />}</Show>;
}

function Whole({ slo }: { readonly slo: SloDetail }) {
  const incidents = useIncidents({ objective: slo.id, limit: 20 }, `objective/${slo.id}`);
  const changes = useChanges();
  const known = incidents.state.value;
  const made = changes.state.value;
  return (
    <div class="stack">
      <Head slo={slo} />
      <Charts
        slo={slo}
        incidents={known.kind === 'ready' ? known.value.items : NONE}
        changes={made.kind === 'ready' ? made.value.items : NONE}
      />
      <div class="two">
        <Rules slo={slo} />
        <section class="panel" aria-labelledby="incidents-title">
          <h2 id="incidents-title">Its incidents</h2>
          <Show of={incidents}>{({ items }) => <Incidents items={items} />}</Show>
        </section>
      </div>
    </div>
  );
}

const NONE: readonly never[] = [];

function Head({ slo }: { readonly slo: SloDetail }) {
  const { displayName, id, service, description, because, since, sli, objective, good, total, period } = slo;
  return (
    <section class={`panel toned ${toneOfSlo(slo)}`} aria-label="State" aria-live="polite">
      <div class="row">
        <SloBadge {...slo} />
        <span class="quiet">
          for <Ago at={since} after="" />
        </span>
      </div>
      <h1 class="foreign">{displayName || id}</h1>
      <p class="quiet foreign">
        {service}
        {description !== null && ` · ${description}`}
      </p>
      {because !== null && <p class="foreign because">{because}</p>}
      <div class="tiles">
        <div>
          <span class="big">{sli === null ? 'No events' : percent(sli, objective)}</span>
          <br />
          <span class="quiet">
            good, of {percent(objective)} promised; {count(total - good)} of {count(total)} events were bad
          </span>
        </div>
        <div>
          <span class="big">{budgetWords(slo.budgetRemaining)}</span>
          <BudgetBar left={slo.budgetRemaining} name={displayName || id} />
          <span class="quiet">{unseenWords(slo)}</span>
        </div>
        <div>
          <Exhausts slo={slo} />
        </div>
        <div>
          <span class="big">{span(Date.parse(period.to) - Date.parse(period.from))}</span>
          <br />
          <span class="quiet">
            is its window, since <At at={period.from} />
          </span>
        </div>
      </div>
      <p>
        {slo.runbook !== null && <Outward href={slo.runbook}>Runbook</Outward>}{' '}
        {slo.dashboard !== null && <Outward href={slo.dashboard}>Dashboard</Outward>}
      </p>
    </section>
  );
}

function Exhausts({ slo: { exhaustsAt, budgetRemaining } }: { readonly slo: SloDetail }) {
  const [big, words] =
    budgetRemaining <= 0
      ? ['Spent', 'nothing of the budget is left']
      : exhaustsAt === null
        ? ['Lasts', 'the budget, if it goes on like this']
        : [<Until key="until" at={exhaustsAt} />, 'the budget is spent, if it goes on like this'];
  return (
    <>
      <span class="big">{big}</span>
      <br />
      <span class="quiet">{words}</span>
    </>
  );
}

/** What was not seen may have been bad. */
function unseenWords({ budgetInterval: { low, high } }: SloDetail): string {
  return high - low < 0.001
    ? 'all of its window was seen'
    : `between ${percent(low)} and ${percent(high)}, by what was not seen`;
}

const RANGES = [
  { name: '1 h', seconds: 3_600 },
  { name: '6 h', seconds: 21_600 },
  { name: '1 d', seconds: 86_400 },
  { name: '7 d', seconds: 604_800 },
] as const;
const POINTS = 240;

type ChartsProps = {
  readonly slo: SloDetail;
  readonly incidents: readonly Incident[];
  readonly changes: readonly Change[];
};

function Charts({ slo, incidents, changes }: ChartsProps) {
  const whole = { name: 'Its window', seconds: (Date.parse(slo.period.to) - Date.parse(slo.period.from)) / 1_000 };
  const [chosen, choose] = useState<string>('1 h');
  const all = [...RANGES.filter(({ seconds }) => seconds < whole.seconds), whole];
  const range = all.find(({ name }) => name === chosen) ?? whole;
  return (
    <section class="panel stack" aria-labelledby="burning-title">
      <div class="row apart">
        <h2 id="burning-title">Budget and burn rates</h2>
        <fieldset class="tabs">
          <legend class="unseen">How far back</legend>
          {all.map(({ name }) => (
            <button
              key={name}
              type="button"
              class="small"
              aria-pressed={name === range.name}
              onClick={() => choose(name)}
            >
              {name}
            </button>
          ))}
        </fieldset>
      </div>
      <Ranged key={range.name} slo={slo} incidents={incidents} changes={changes} range={range} />
    </section>
  );
}

type RangedProps = ChartsProps & { readonly range: { readonly name: string; readonly seconds: number } };

function Ranged({ slo, incidents, changes, range }: RangedProps) {
  const burn = useBurn(
    slo.id,
    () => {
      const to = routerNow();
      const step = Math.max(15, Math.ceil(range.seconds / POINTS));
      return { from: new Date(to - range.seconds * 1_000).toISOString(), to: new Date(to).toISOString(), step };
    },
    `objective/${range.name}`,
  );
  const known = burn.state.value;
  const rules = JSON.stringify(slo.rules.map(levelOf));
  const charts = useMemo(() => {
    if (known.kind !== 'ready') return undefined;
    const marks = marksOf(slo, incidents, changes);
    return { budget: budgetChart(known.value, marks), burn: burnChart(known.value, slo.rules, marks) };
  }, [known, incidents, changes, rules]);
  return (
    <Show of={burn} bones={<Bones rows={2} height="16rem" />}>
      {() =>
        charts && (
          <>
            <h3>Error budget left</h3>
            <Chart label={`Error budget of ${slo.id}`} {...charts.budget} format={(value) => `${tidy(value, 4)} %`} />
            <h3>Burn rates, against what each rule takes for too much</h3>
            <Chart label={`Burn rates of ${slo.id}`} {...charts.burn} scale="log" format={rateWords} />
          </>
        )
      }
    </Show>
  );
}

function marksOf({ service }: SloDetail, incidents: readonly Incident[], changes: readonly Change[]): Mark[] {
  return [
    ...incidents.map(({ openedAt, number, severity }) => ({
      at: Date.parse(openedAt) / 1_000,
      label: `#${number}`,
      tone: severity,
    })),
    ...changes
      .filter((change) => change.service === null || change.service === service)
      .map(({ at, summary }) => ({ at: Date.parse(at) / 1_000, label: summary.slice(0, 24), tone: 'accent' })),
  ];
}

function Rules({ slo }: { readonly slo: SloDetail }) {
  return (
    <section class="panel" aria-labelledby="rules-title">
      <h2 id="rules-title">Why it is judged so</h2>
      <Wide label="Rules">
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Says</th>
              <th scope="col" class="number">
                Too much is
              </th>
              <th scope="col" class="number">
                Long window
              </th>
              <th scope="col" class="number">
                Short window
              </th>
            </tr>
          </thead>
          <tbody>
            {slo.rules.map((rule) => (
              <tr key={rule.name}>
                <th scope="row">{rule.name}</th>
                <td>
                  {rule.firing ? (
                    <SeverityBadge severity={rule.severity} />
                  ) : (
                    <span class="quiet">{rule.severity}, not now</span>
                  )}
                </td>
                <td class="number">{times(rule.factor)}</td>
                <td class="number">
                  {times(rule.longRate)} <span class="quiet">{span(rule.long * 1_000)}</span>
                </td>
                <td class="number">
                  {times(rule.shortRate)} <span class="quiet">{span(rule.short * 1_000)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      <p class="quiet">
        A burn rate of 1 × spends exactly the whole budget in its window. A rule speaks when both of its windows are
        above what it takes for too much, and the evidence is beyond chance.
      </p>
    </section>
  );
}

function Incidents({ items }: { readonly items: readonly Incident[] }) {
  if (items.length === 0) return <p class="quiet">It has had none.</p>;
  return (
    <ul class="timeline">
      {items.map((incident) => (
        <li key={incident.id}>
          <span class="quiet">
            <At at={incident.openedAt} />
          </span>
          <span>
            <StateBadge {...incident} />{' '}
            <Link to={`incidents/${incident.id}`} class="foreign">
              #{incident.number} {incident.title}
            </Link>
          </span>
        </li>
      ))}
    </ul>
  );
}
