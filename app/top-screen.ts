/**
 * What `burnline top` shows, as lines of a width: pure, so that a picture of a moment is a test. What somebody must act on
 * stands first; what does not fit is counted, not hidden.
 */
import type { OnCallView } from '#alerting/oncall/view.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { IncidentView } from './router-wire.ts';
import { oneLine, paint, span } from './terminal.ts';
import type { Pulse, SloView } from './top-wire.ts';

/** What a role answered, or why it did not. */
export type Asked<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'silent'; readonly why: string };
export type Picture = {
  readonly at: Milliseconds;
  readonly incidents: Asked<readonly IncidentView[]>;
  readonly slos: Asked<readonly SloView[]>;
  readonly onCall: Asked<readonly OnCallView[]>;
  readonly pulse: Asked<Pulse>;
};
export type Size = { readonly columns: number; readonly rows: number };

/** All of a line fits into 80 columns. */
const NAME = 24;
const INCIDENTS_MOST = 8;
const BAR = 10;

export function screen(picture: Picture, { columns, rows }: Size): string[] {
  const head = headline(picture);
  const parts = [incidentLines(picture), onCallLines(picture), sloLines(picture), pulseLines(picture)];
  const lines = [head, '', ...parts.flatMap((part) => [...part, ''])];
  const fits = lines.slice(0, Math.max(1, rows - 1));
  return fits.map((line) => cut(line, columns));
}

function headline({ at, incidents, slos }: Picture): string {
  const clock = new Date(at).toISOString().slice(11, 19);
  const name = `burnline top  ${clock}Z`;
  if (incidents.kind === 'silent') return `${name}  ${paint('red', 'the router does not answer')}`;
  const open = incidents.value.filter(({ state }) => state === 'open').length;
  const blind = slos.kind === 'answer' ? slos.value.filter(({ verdict }) => verdict === 'unknown').length : 0;
  const seen = blind === 0 ? 'all objectives seen' : paint('yellow', `${many(blind, 'objective')} blind`);
  const state = open === 0 ? paint('green', 'nothing is open') : paint('red', `${open} open`);
  return `${name}  ${state}  ${seen}`;
}

function incidentLines({ incidents, at }: Picture): string[] {
  if (incidents.kind === 'silent') return [silent('INCIDENTS', incidents.why)];
  const all = [...incidents.value].sort((a, b) => rank(a) - rank(b) || b.openedAt.localeCompare(a.openedAt));
  const shown = all.slice(0, INCIDENTS_MOST).map((one) => {
    const since = span(at - Date.parse(one.openedAt));
    const who = one.state === 'open' ? nextOf(one, at) : `by ${one.acknowledgedBy ?? '?'}`;
    const words = `#${one.number} ${one.severity.padEnd(8)} ${one.state.padEnd(12)} ${since.padStart(7)}  ${oneLine(one.title)}`;
    return paint(one.state !== 'open' ? 'yellow' : one.severity === 'critical' ? 'red' : 'yellow', `${words}  ${who}`);
  });
  const more = all.length > shown.length ? [paint('dim', `and ${all.length - shown.length} more`)] : [];
  return [heading('INCIDENTS'), ...(all.length === 0 ? [paint('green', 'none')] : shown), ...more];
}

const rank = ({ state, severity }: IncidentView): number =>
  (state === 'open' ? 0 : 10) + (severity === 'critical' ? 0 : severity === 'warning' ? 1 : 2);

const nextOf = ({ nextStepAt }: IncidentView, at: Milliseconds): string =>
  nextStepAt === null ? 'nobody is next' : `next step in ${span(Date.parse(nextStepAt) - at)}`;

function onCallLines({ onCall }: Picture): string[] {
  if (onCall.kind === 'silent') return [silent('ON CALL', onCall.why)];
  if (onCall.value.length === 0) return [`${heading('ON CALL')}  no schedule`];
  const each = onCall.value.map(({ schedule, onDuty }) => {
    const names = onDuty.map(({ displayName, name }) => oneLine(displayName || name)).join(', ');
    return `${oneLine(schedule)}: ${names || paint('red', 'nobody')}`;
  });
  return [`${heading('ON CALL')}  ${each.join('   ')}`];
}

function sloLines({ slos, at }: Picture): string[] {
  if (slos.kind === 'silent') return [silent('OBJECTIVES', slos.why)];
  const rows = [...slos.value]
    .sort((a, b) => verdictRank(a) - verdictRank(b) || a.id.localeCompare(b.id))
    .map((one) => {
      const state = { ok: 'ok', burning: one.severity ?? 'burning', unknown: 'blind' }[one.verdict];
      const ends = one.exhaustsAt === null ? '' : span(Date.parse(one.exhaustsAt) - at);
      const cells = [
        state.padEnd(8),
        nameOf(one).slice(0, NAME).padEnd(NAME),
        share(one.sli).padStart(8),
        share(one.objective).padStart(7),
        bar(one.budgetRemaining),
        share(one.budgetRemaining).padStart(7),
        ends.padStart(8),
      ];
      return paint(colourOf(one), cells.join(' ').trimEnd());
    });
  const title = [
    'STATE'.padEnd(8),
    'OBJECTIVE'.padEnd(NAME),
    'ATTAINED',
    ' TARGET',
    'BUDGET LEFT'.padEnd(BAR + 8),
    '  ENDS IN',
  ];
  return [heading(title.join(' ')), ...(rows.length === 0 ? ['none is watched'] : rows)];
}

const verdictRank = ({ verdict, severity }: SloView): number =>
  verdict === 'burning'
    ? severity === 'critical'
      ? 0
      : severity === 'warning'
        ? 1
        : 3
    : verdict === 'unknown'
      ? 2
      : 4;
const colourOf = (one: SloView) => (['red', 'yellow', 'yellow', 'dim', 'green'] as const)[verdictRank(one)] ?? 'green';

/** Never rounded up to a promise that is not kept: 97.999 % is not 98 %. */
const share = (of: number | null): string => (of === null ? '-' : `${(Math.floor(of * 10_000) / 100).toFixed(2)} %`);
const bar = (left: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, left)) * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
};

function pulseLines({ pulse }: Picture): string[] {
  if (pulse.kind === 'silent') return [silent('DOCUMENTS', pulse.why)];
  const { finished, unfinished, oldestUnfinishedSeconds: oldest, workers, vendors, circuits, seconds } = pulse.value;
  const minutes = seconds / 60;
  const waiting = Object.values(unfinished).reduce((sum, count) => sum + count, 0);
  const alive = workers.filter((one) => one.alive).length;
  const failed = `${finished.failed} failed`;
  const counts = [
    `${(finished.completed / minutes).toFixed(1)} a minute`,
    finished.failed > 0 ? paint('red', failed) : failed,
    `${finished.rejected} rejected in ${minutes} min`,
    `${waiting} unfinished${oldest === null ? '' : `, oldest ${span(oldest * 1_000)}`}`,
    alive === 0 ? paint('red', 'no worker') : many(alive, 'worker'),
  ];
  return [
    `${heading('DOCUMENTS')}  ${counts.join('  ')}`,
    ...vendors.map(({ vendor, calls, failed: wrong, p95Seconds: p95, costUsd }) => {
      const circuit = circuits[vendor] ?? '';
      const words = [
        `  ${oneLine(vendor).padEnd(14)}`,
        `${calls} calls`.padStart(12),
        `${wrong} failed`.padStart(12),
        (p95 === null ? '' : `p95 ${span(p95 * 1_000)}`).padStart(12),
        `$${costUsd.toFixed(4)}`.padStart(12),
        circuit === '' || circuit === 'closed' ? '' : `circuit ${circuit}`,
      ];
      return wrong > 0 ? paint('yellow', words.join(' ')) : words.join(' ').trimEnd();
    }),
  ];
}

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
/** An id is the service and the name. */
const nameOf = ({ id, service }: SloView): string => (id.startsWith(`${service}-`) ? id.slice(service.length + 1) : id);
const heading = (text: string): string => paint('bold', text);
const silent = (what: string, why: string): string => `${heading(what)}  ${paint('red', oneLine(why))}`;

/** By what is seen: the codes of colours have no width. */
function cut(line: string, columns: number): string {
  let width = 0;
  let kept = '';
  for (const [piece] of line.matchAll(/\u001b\[[\d;]*m|[\s\S]/gu)) {
    if (piece.startsWith('\u001b')) kept += piece;
    else if (width < columns) {
      kept += piece;
      width++;
    }
  }
  return kept;
}
