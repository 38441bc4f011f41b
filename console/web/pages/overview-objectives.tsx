/** A line for each objective, the worst first. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { noSparklines, sparklines, wantSparklines } from '#console/web/data/sparklines.ts';
import type { Slo } from '#console/web/data/wire.ts';
import { SloBadge, toneOfSlo } from '#console/web/parts/badges.tsx';
import { BudgetBar, budgetWords } from '#console/web/parts/budget.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { isNarrow } from '#console/web/parts/media.ts';
import { Rows } from '#console/web/parts/rows.tsx';
import { Spark } from '#console/web/parts/spark.tsx';
import { Empty } from '#console/web/parts/states.tsx';
import { Until } from '#console/web/parts/time.tsx';
import { percent } from '#console/web/text/format.ts';
import { found, worstFirst } from '#console/web/text/objectives.ts';

/** Pixels; the style sheet has the same two. */
const [ROW, ROW_NARROW] = [60, 128];
/** Fewer are seen at once. */
const SEARCH_FROM = 12;

export function Objectives({ all }: { readonly all: readonly Slo[] }) {
  const [wanted, setWanted] = useState('');
  const sorted = useMemo(() => worstFirst(all), [all]);
  const shown = useMemo(() => found(sorted, wanted), [sorted, wanted]);
  useEffect(() => noSparklines, []);
  if (all.length === 0) {
    return (
      <div class="panel">
        <Empty big="No objective is watched">
          <p>
            This router has neither objectives nor targets. Start it with <code>--objectives</code> and{' '}
            <code>--scrape</code>, or with <code>--prometheus.url</code>.
          </p>
        </Empty>
      </div>
    );
  }
  const kept = all.filter(({ verdict }) => verdict === 'ok').length;
  return (
    <>
      <div class="row apart objectives-head">
        <h2 id="objectives-title">
          Objectives{' '}
          <span class="quiet">{kept === all.length ? `all ${kept} kept` : `${kept} of ${all.length} kept`}</span>
        </h2>
        {all.length >= SEARCH_FROM && (
          <input
            type="search"
            class="search"
            placeholder="Find by name, service or state"
            aria-label="Find objectives"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        )}
      </div>
      <div class="panel flush">
        {shown.length === 0 ? (
          <Empty big="None is found">
            <p>Nothing has “{wanted}” in its name, service or state.</p>
          </Empty>
        ) : (
          <Rows
            items={shown}
            keyOf={(slo) => slo.id}
            height={isNarrow.value ? ROW_NARROW : ROW}
            label="Objectives"
            onSeen={(seen) => wantSparklines(seen.map(({ id }) => id))}
          >
            {(slo) => <ObjectiveRow slo={slo} />}
          </Rows>
        )}
      </div>
    </>
  );
}

function ObjectiveRow({ slo }: { readonly slo: Slo }) {
  const { id, displayName, service, sli, objective, budgetRemaining, exhaustsAt, verdict, because } = slo;
  const tone = toneOfSlo(slo);
  return (
    <Link to={`objectives/${encodeURIComponent(id)}`} class={`objective toned ${tone}`} title={because ?? undefined}>
      <span class="name">
        <strong class="foreign">{displayName || id}</strong>
        <span class="quiet foreign">{service}</span>
      </span>
      <span class="state">
        <SloBadge {...slo} />
      </span>
      <span class="attained">
        {sli === null ? <span class="quiet">no events yet</span> : percent(sli, objective)}
        <span class="quiet">of {percent(objective)}</span>
      </span>
      <span class="budget">
        <BudgetBar left={budgetRemaining} name={displayName || id} />
        <span class="quiet">{budgetWords(budgetRemaining)}</span>
      </span>
      <Spark values={sparklines.value.get(id) ?? []} tone={tone} name={displayName || id} />
      <span class="exhausts quiet">
        {budgetRemaining <= 0 ? (
          'Budget is spent'
        ) : exhaustsAt === null ? (
          verdict === 'unknown' ? (
            ''
          ) : (
            'Budget lasts'
          )
        ) : (
          <>
            Spent <Until at={exhaustsAt} />
          </>
        )}
      </span>
    </Link>
  );
}
