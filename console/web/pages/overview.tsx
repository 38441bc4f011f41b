/** What somebody sees who was just woken: is something broken, since when, how bad, who is on it. */
import { Fragment } from 'preact';
import { here, may } from '#console/web/data/session.ts';
import { useEyes, useOnCall, useOpenIncidents, usePulse, useSlos } from '#console/web/data/things.ts';
import type { Eye, Incident, OnCall, Pulse } from '#console/web/data/wire.ts';
import { AcknowledgeButton } from '#console/web/parts/acts.tsx';
import { Badge, SeverityBadge, StateBadge, toneOfIncident } from '#console/web/parts/badges.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { Bones, Show } from '#console/web/parts/states.tsx';
import { Ago, At, Countdown } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { count, plural, span, tidy, took } from '#console/web/text/format.ts';
import { Objectives } from './overview-objectives.tsx';

export function OverviewPage() {
  useTitle('Overview');
  const features = here.value.kind === 'known' ? here.value.session.features : undefined;
  const [incidents, oncall, eyes, slos] = [useOpenIncidents(), useOnCall(), useEyes(), useSlos()];
  const pulse = usePulse(features?.documents === true);
  return (
    <div class="stack">
      <h1 class="unseen">Overview</h1>
      <section aria-label="Open incidents" aria-live="polite">
        <Show of={incidents} bones={<Bones rows={1} height="5rem" />}>
          {({ items }) => <OpenIncidents items={items} />}
        </Show>
      </section>
      <div class="tiles">
        <section class="panel" aria-labelledby="oncall-title">
          <h2 id="oncall-title">On call now</h2>
          <Show of={oncall} bones={<Bones rows={1} />}>
            {(all) => <OnCallNow all={all} />}
          </Show>
        </section>
        {features?.documents && (
          <section class="panel" aria-labelledby="pulse-title">
            <h2 id="pulse-title">Documents</h2>
            <Show of={pulse} bones={<Bones rows={2} height="1.5rem" />}>
              {(now) => <PulseNow pulse={now} />}
            </Show>
          </section>
        )}
        {features?.documents && (
          <section class="panel" aria-labelledby="vendors-title">
            <h2 id="vendors-title">Vendors</h2>
            <Show of={pulse} bones={<Bones rows={2} height="1.5rem" />}>
              {(now) => <VendorsNow pulse={now} />}
            </Show>
          </section>
        )}
        <section class="panel" aria-labelledby="eyes-title">
          <h2 id="eyes-title">Who is watching</h2>
          <Show of={eyes} bones={<Bones rows={2} height="1.5rem" />}>
            {(all) => <EyesNow eyes={all} />}
          </Show>
        </section>
      </div>
      <section aria-labelledby="objectives-title">
        <Show of={slos} bones={<Bones rows={8} />}>
          {(all) => <Objectives all={all} />}
        </Show>
      </section>
    </div>
  );
}

/** More would push the objectives off the page; the list of incidents has them all. */
const CARDS_MOST = 12;

function OpenIncidents({ items }: { readonly items: readonly Incident[] }) {
  if (items.length === 0) {
    return (
      <p class="panel toned ok calm-line">
        <strong>Nothing is open.</strong>{' '}
        <span class="quiet">
          The last ones are under <Link to="incidents">incidents</Link>.
        </span>
      </p>
    );
  }
  const sorted = items.toSorted((a, b) => rank(a) - rank(b) || Date.parse(b.openedAt) - Date.parse(a.openedAt));
  return (
    <div class="stack">
      {sorted.slice(0, CARDS_MOST).map((incident) => (
        <IncidentCard key={incident.id} incident={incident} />
      ))}
      {items.length > CARDS_MOST && <Link to="incidents">All {items.length} that are open</Link>}
    </div>
  );
}

const STATE_RANK = { open: 0, snoozed: 2, acknowledged: 4, resolved: 6 } as const;
const rank = ({ state, severity }: Incident): number => STATE_RANK[state] + (severity === 'critical' ? 0 : 1);

function IncidentCard({ incident }: { readonly incident: Incident }) {
  const { id, number, title, service, severity, state, openedAt, acknowledgedBy, nextStepAt, drill } = incident;
  return (
    <article class={`panel toned incident-card ${toneOfIncident(incident)}`}>
      <div class="stack tight">
        <div class="row">
          <SeverityBadge severity={severity} />
          <StateBadge state={state} severity={severity} />
          {drill && <Badge tone="info">Drill</Badge>}
          <span class="quiet">
            for <Ago at={openedAt} after="" />
          </span>
        </div>
        <Link to={`incidents/${id}`} class="incident-title foreign clamped">
          #{number} {title}
        </Link>
        <span class="quiet">
          <span class="foreign">{service}</span>
          {acknowledgedBy !== null && (
            <>
              {' · '}
              <span class="foreign">{acknowledgedBy}</span> is on it
            </>
          )}
          {state === 'open' && nextStepAt !== null && (
            <>
              {' · next step in '}
              <Countdown at={nextStepAt} past="a moment" />
            </>
          )}
        </span>
      </div>
      <AcknowledgeButton incident={incident} />
    </article>
  );
}

function OnCallNow({ all }: { readonly all: readonly OnCall[] }) {
  if (all.length === 0) {
    return <p class="quiet">No schedule is declared: oncall.yaml has none.</p>;
  }
  return (
    <dl class="loose">
      {all.map(({ schedule, onDuty, until }) => (
        <Fragment key={schedule}>
          <dt>{schedule}</dt>
          <dd>
            {onDuty.length === 0 ? (
              <Badge tone="warning">Nobody</Badge>
            ) : (
              <strong class="foreign">{onDuty.map(({ displayName }) => displayName).join(', ')}</strong>
            )}
            {until !== null && (
              <span class="quiet">
                {' until '}
                <At at={until} />
              </span>
            )}
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

function PulseNow({ pulse }: { readonly pulse: Pulse }) {
  const { finished, seconds, unfinished, oldestUnfinishedSeconds, workers } = pulse;
  const perMinute = ((finished.completed + finished.rejected + finished.failed) * 60) / seconds;
  const waitingNow = Object.values(unfinished).reduce((a, b) => a + b, 0);
  const alive = workers.filter((worker) => worker.alive).length;
  const isLate = (oldestUnfinishedSeconds ?? 0) > 120;
  return (
    <>
      <p class="big">
        {tidy(perMinute, 2)} <small class="quiet">documents a minute</small>
      </p>
      <dl class="loose">
        <dt>Failed</dt>
        <dd>
          {finished.failed > 0 ? <Badge tone="critical">{count(finished.failed)}</Badge> : '0'}{' '}
          <span class="quiet">in the last {span(seconds * 1_000)}</span>
        </dd>
        <dt>Unfinished</dt>
        <dd>
          {may('incidents:read') ? <Link to="documents">{count(waitingNow)}</Link> : count(waitingNow)}
          {oldestUnfinishedSeconds !== null && (
            <>
              {', the oldest '}
              {isLate ? (
                <Badge tone="warning">{span(oldestUnfinishedSeconds * 1_000)}</Badge>
              ) : (
                span(oldestUnfinishedSeconds * 1_000)
              )}
            </>
          )}
        </dd>
        <dt>Workers</dt>
        <dd>{alive === 0 ? <Badge tone="critical">None is alive</Badge> : `${alive} alive`}</dd>
      </dl>
    </>
  );
}

function VendorsNow({ pulse: { vendors, circuits, seconds } }: { readonly pulse: Pulse }) {
  const names = [...new Set([...Object.keys(circuits), ...vendors.map(({ vendor }) => vendor)])].sort();
  if (names.length === 0) return <p class="quiet">No vendor was called in the last {span(seconds * 1_000)}.</p>;
  return (
    <dl class="loose">
      {names.map((name) => {
        const calls = vendors.find(({ vendor }) => vendor === name);
        const circuit = circuits[name] ?? 'closed';
        return (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              {circuit === 'closed' ? (
                <Badge tone={calls !== undefined && calls.failed > 0 ? 'warning' : 'ok'}>
                  {calls !== undefined && calls.failed > 0 ? `${count(calls.failed)} failed` : 'Answers'}
                </Badge>
              ) : (
                <Badge tone="critical">{`Circuit ${circuit}`}</Badge>
              )}{' '}
              <span class="quiet">
                {calls === undefined
                  ? 'not called'
                  : `${plural(calls.calls, 'call')}${calls.p95Seconds === null ? '' : `, 95 % within ${took(calls.p95Seconds)}`}`}
              </span>
            </dd>
          </Fragment>
        );
      })}
    </dl>
  );
}

const EYE_NAMES = { router: 'The router', prometheus: 'Prometheus' } as const;
const EYE_STATES = {
  open: { tone: 'ok', word: 'Sees' },
  blind: { tone: 'critical', word: 'Blind' },
  absent: { tone: 'info', word: 'Not set up' },
} as const;

function EyesNow({ eyes }: { readonly eyes: readonly Eye[] }) {
  return (
    <dl class="loose">
      {eyes.map(({ eye, state, because, lastAt, targets }) => (
        <Fragment key={eye}>
          <dt>{EYE_NAMES[eye]}</dt>
          <dd>
            <Badge tone={EYE_STATES[state].tone}>{EYE_STATES[state].word}</Badge>{' '}
            <span class="quiet">
              {state === 'open' && lastAt !== null ? (
                <>
                  last <Ago at={lastAt} />
                  {targets.length > 0 && `, ${plural(targets.length, 'target')}`}
                </>
              ) : (
                because
              )}
            </span>
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}
