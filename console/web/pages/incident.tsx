/** One incident: how bad, since when, who is on it, what to do, what happened, and the buttons that answer it. */
import { useRoute } from 'preact-iso';
import { useIncident, useNotifications } from '#console/web/data/things.ts';
import type { IncidentDetail, Notification } from '#console/web/data/wire.ts';
import { Acts } from '#console/web/parts/acts.tsx';
import { Badge, SeverityBadge, StateBadge, toneOfIncident } from '#console/web/parts/badges.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { Ago, At, Countdown } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { span } from '#console/web/text/format.ts';
import { kindWords, notificationTone, sentWords } from '#console/web/text/words.ts';
import { IncidentAlerts } from './incident-alerts.tsx';
import { IncidentBurn } from './incident-burn.tsx';
import { IncidentReport } from './incident-report.tsx';
import { Runbook } from './incident-runbook.tsx';

export function IncidentPage() {
  const { params } = useRoute();
  const id = params['id'] ?? '';
  return <OneIncident key={id} id={id} />;
}

function OneIncident({ id }: { readonly id: string }) {
  const incident = useIncident(id);
  const state = incident.state.value;
  useTitle(state.kind === 'ready' ? `#${state.value.number}` : `Incident ${id}`);
  if (state.kind === 'failed' && state.problem.status === 404) {
    return (
      <Empty isPage big="There is no such incident">
        <p>
          {state.problem.message}. <Link to="incidents">All incidents</Link>
        </p>
      </Empty>
    );
  }
  return <Show of={incident}>{(whole) => <Whole incident={whole} />}</Show>;
}

function Whole({ incident }: { readonly incident: IncidentDetail }) {
  const sent = useNotifications({ incident: incident.id, limit: 200 }, `incident/${incident.id}`);
  return (
    <div class="stack">
      <Head incident={incident} />
      <div class="two">
        <div class="stack">
          {incident.objective !== null && <IncidentBurn incident={incident} id={incident.objective} />}
          <section class="panel" aria-labelledby="timeline-title">
            <h2 id="timeline-title">Timeline</h2>
            <Timeline incident={incident} />
          </section>
          <IncidentAlerts id={incident.id} />
        </div>
        <div class="stack">
          <Runbook link={incident.runbook} dashboard={incident.dashboard} />
          <section class="panel" aria-labelledby="sent-title">
            <h2 id="sent-title">Who was told</h2>
            <Show of={sent}>{({ items }) => <Sent items={items} />}</Show>
          </section>
          <IncidentReport incident={incident} />
        </div>
      </div>
    </div>
  );
}

function Head({ incident }: { readonly incident: IncidentDetail }) {
  const { number, title, service, objective, severity, state, drill, openedAt } = incident;
  return (
    <section class={`panel toned incident-head ${toneOfIncident(incident)}`} aria-label="State" aria-live="polite">
      <div class="row">
        <SeverityBadge severity={severity} />
        <StateBadge state={state} severity={severity} />
        {drill && <Badge tone="info">Drill</Badge>}
      </div>
      <h1 class="foreign clamped" title={title}>
        #{number} {title}
      </h1>
      <p class="quiet">
        <span class="foreign">{service}</span>
        {objective !== null && (
          <>
            {' · '}
            <Link to={`objectives/${encodeURIComponent(objective)}`}>{objective}</Link>
          </>
        )}
      </p>
      <dl class="loose">
        <dt>Since</dt>
        <dd>
          <At at={openedAt} />
          {', '}
          {incident.resolvedAt === null ? (
            <>
              for <Ago at={openedAt} after="" />
            </>
          ) : (
            `lasted ${span(Date.parse(incident.resolvedAt) - Date.parse(openedAt))}`
          )}
        </dd>
        <Answers incident={incident} />
        <Next incident={incident} />
      </dl>
      <Acts incident={incident} />
    </section>
  );
}

function Answers({ incident }: { readonly incident: IncidentDetail }) {
  const { acknowledgedAt, acknowledgedBy, resolvedAt, resolvedBy, snoozedUntil, state } = incident;
  return (
    <>
      <dt>On it</dt>
      <dd>
        {acknowledgedAt === null ? (
          'Nobody has acknowledged'
        ) : (
          <>
            <strong class="foreign">{acknowledgedBy ?? 'somebody'}</strong>, since <At at={acknowledgedAt} />
          </>
        )}
      </dd>
      {state === 'snoozed' && snoozedUntil !== null && (
        <>
          <dt>Snoozed</dt>
          <dd>
            until <At at={snoozedUntil} />
          </dd>
        </>
      )}
      {resolvedAt !== null && (
        <>
          <dt>Resolved</dt>
          <dd>
            <At at={resolvedAt} />
            {resolvedBy !== null && (
              <>
                {' by '}
                <span class="foreign">{resolvedBy}</span>
              </>
            )}
          </dd>
        </>
      )}
    </>
  );
}

function Next({ incident: { next, state, paged } }: { readonly incident: IncidentDetail }) {
  return (
    <>
      {paged.length > 0 && (
        <>
          <dt>Paged</dt>
          <dd class="foreign">{paged.join(', ')}</dd>
        </>
      )}
      {next !== null && state === 'open' && (
        <>
          <dt>Next</dt>
          <dd>
            <strong class="countdown">
              <Countdown at={next.at} past="now" />
            </strong>{' '}
            until <span class="foreign">{next.who.join(', ') || 'the policy is at its end'}</span>
            {next.who.length > 0 && (next.who.length === 1 ? ' is told' : ' are told')}
          </dd>
        </>
      )}
    </>
  );
}

function Timeline({ incident: { timeline } }: { readonly incident: IncidentDetail }) {
  if (timeline.length === 0) return <p class="quiet">Nothing has been written down.</p>;
  return (
    <ol class="timeline" reversed>
      {timeline.toReversed().map(({ at, kind, because, actor }, i) => (
        <li key={`${at}${kind}${i}`}>
          <span class="quiet">
            <At at={at} seconds />
          </span>
          <span>
            <strong>{kindWords(kind)}</strong>
            {actor !== null && (
              <>
                {' by '}
                <span class="foreign">{actor}</span>
              </>
            )}
            {because !== '' && because !== `by ${actor}` && <span class="foreign why"> {because}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Sent({ items }: { readonly items: readonly Notification[] }) {
  if (items.length === 0) return <p class="quiet">Nobody has been told yet.</p>;
  return (
    <ul class="timeline">
      {items.map((one) => (
        <li key={one.id}>
          <span class="quiet">
            <At at={one.createdAt} seconds />
          </span>
          <span>
            <Badge tone={notificationTone(one)}>{one.state}</Badge> {one.action} to{' '}
            <span class="foreign">{one.destination}</span> by {one.channel}
            <span class="quiet"> {sentWords(one)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
