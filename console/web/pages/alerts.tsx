/** Every alert that fires: thousands of them scroll as ten do. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { makeAlertList } from '#console/web/data/alerts.ts';
import { may } from '#console/web/data/session.ts';
import { onEvent } from '#console/web/data/stream.ts';
import { useAlertsSummary } from '#console/web/data/things.ts';
import type { ListedAlert } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { Choice, useFilters } from '#console/web/parts/filters.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { Rows } from '#console/web/parts/rows.tsx';
import { Bones, Empty, Failed, Show } from '#console/web/parts/states.tsx';
import { Ago } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { count, plural } from '#console/web/text/format.ts';
import { matchersInAddress, matchersOf } from '#console/web/text/matchers.ts';

const SEVERITIES = [
  ['', 'All'],
  ['critical', 'Critical'],
  ['warning', 'Warning'],
  ['info', 'Info'],
] as const;
/** Pixels. */
const ROW = 92;
/** So many before the end, the next page is asked for. */
const AHEAD = 60;

export function AlertsPage() {
  useTitle('Alerts');
  const [{ severity }, set] = useFilters(['severity']);
  const summary = useAlertsSummary();
  const [version, setVersion] = useState(0);
  const [isOld, setOld] = useState(false);
  useEffect(() => onEvent((name) => (name === 'incident' || name === 'verdict' ? setOld(true) : undefined)), []);
  const again = () => {
    setOld(false);
    setVersion((before) => before + 1);
  };
  return (
    <div class="stack">
      <h1>Alerts</h1>
      <Show of={summary} bones={<Bones rows={1} height="1.5rem" />}>
        {({ alerts, bySeverity, byState }) => (
          <p class="quiet">
            {plural(alerts, 'alert fires', 'alerts fire')}: {count(bySeverity.critical)} critical,{' '}
            {count(bySeverity.warning)} warning, {count(bySeverity.info)} info;{' '}
            {count(byState.silenced + byState.inhibited + byState.muted)} of them kept quiet
          </p>
        )}
      </Show>
      <div class="row apart">
        <Choice label="Severity" value={severity} options={SEVERITIES} onChange={(value) => set('severity', value)} />
        <button type="button" class="small" onClick={again}>
          {isOld ? 'Something changed: show it' : 'Ask again'}
        </button>
      </div>
      <List key={`${severity}/${version}`} severity={severity} />
    </div>
  );
}

function List({ severity }: { readonly severity: string }) {
  const { list, more } = useMemo(() => makeAlertList(severity === '' ? [] : [`severity="${severity}"`]), [severity]);
  useEffect(() => void more(), [more]);
  const state = list.value;
  if (state.kind === 'loading') return <Bones rows={6} height="5rem" />;
  if (state.kind === 'failed') return <Failed problem={state.problem} again={() => void more()} />;
  const { items, hasMore, problem } = state;
  if (items.length === 0) {
    return (
      <div class="panel">
        <Empty big={severity === '' ? 'Nothing fires' : `Nothing ${severity} fires`} />
      </div>
    );
  }
  const last = items[Math.max(0, items.length - AHEAD)];
  return (
    <div class="panel flush">
      <Rows
        items={items}
        keyOf={(alert) => alert.fingerprint}
        height={ROW}
        label="Alerts"
        onSeen={(seen) => {
          const end = seen.at(-1);
          if (hasMore && end !== undefined && last !== undefined && end.fingerprint >= last.fingerprint) void more();
        }}
      >
        {(alert) => <Row alert={alert} />}
      </Rows>
      {problem && <Failed problem={problem} again={() => void more()} />}
    </div>
  );
}

function Row({ alert }: { readonly alert: ListedAlert }) {
  const { labels, annotations, status, startsAt } = alert;
  const severity = labels['severity'] ?? '';
  const rest = Object.entries(labels).filter(([name]) => name !== 'alertname' && name !== 'severity');
  return (
    <div class="alert-row">
      <div class="stack tight">
        <div class="row nowrap">
          <Badge tone={severity === 'critical' || severity === 'warning' ? severity : 'info'}>
            {severity || 'none'}
          </Badge>
          {status.state === 'suppressed' && <Badge tone="unknown">suppressed</Badge>}
          <strong class="foreign one-line">{labels['alertname'] ?? 'alert'}</strong>
          <span class="quiet one-line">
            for <Ago at={startsAt} after="" />
          </span>
        </div>
        <span class="foreign one-line">{annotations['description'] ?? annotations['summary'] ?? ''}</span>
        <span class="quiet foreign one-line">
          {rest.map(([name, value]) => `${name}=${value.slice(0, 80)}`).join('  ')}
        </span>
      </div>
      {may('silences:write') && (
        <Link to={`silences?new=${encodeURIComponent(matchersInAddress(matchersOf(labels)))}`} class="button small">
          Silence
        </Link>
      )}
    </div>
  );
}
