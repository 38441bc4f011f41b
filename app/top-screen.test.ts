import assert from 'node:assert/strict';
import test from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { milliseconds } from '#kernel/units.ts';
import type { IncidentView } from './router-wire.ts';
import { type Picture, screen } from './top-screen.ts';
import type { SloView } from './top-wire.ts';

const AT = milliseconds(Date.parse('2026-11-29T03:00:00Z'));
const slo = (id: string, more: Partial<SloView> = {}): SloView => ({
  ...{
    id: `burnline-${id}`,
    service: 'burnline',
    objective: 0.98,
    sli: 0.99999,
    budgetRemaining: 0.5,
    verdict: 'ok',
    severity: null,
    because: null,
  },
  exhaustsAt: null,
  ...more,
});
const incident = (number: number, more: Partial<IncidentView> = {}): IncidentView => ({
  ...{
    id: `i${number}`,
    number,
    state: 'open',
    severity: 'critical',
    title: 'step-attempts burns',
    service: 'documents',
  },
  ...{ drill: false, policy: 'p', openedAt: '2026-11-29T02:58:00Z', acknowledgedAt: null, acknowledgedBy: null },
  ...{ snoozedUntil: null, resolvedAt: null, resolvedBy: null, alerts: 1, told: [], paged: [] },
  nextStepAt: '2026-11-29T03:05:00Z',
  ...more,
});
const PICTURE: Picture = {
  at: AT,
  incidents: {
    kind: 'answer',
    value: [
      incident(1, { state: 'acknowledged', acknowledgedBy: 'ada' }),
      incident(2, { severity: 'warning' }),
      incident(3, { title: 'evil\u001b[2Jtitle\nnext' }),
    ],
  },
  slos: {
    kind: 'answer',
    value: [
      slo('documents-processed', { sli: 0.979999 }),
      slo('step-attempts', {
        ...{ verdict: 'burning', severity: 'critical', budgetRemaining: -0.2, exhaustsAt: '2026-11-29T04:00:00Z' },
      }),
      slo('api-fast', { verdict: 'unknown', sli: null }),
    ],
  },
  onCall: {
    kind: 'answer',
    value: [
      {
        ...{ schedule: 'docs', timeZone: 'UTC', until: null, next: [] },
        onDuty: [{ name: 'ada', displayName: 'Ada' }],
      },
    ],
  },
  pulse: {
    kind: 'answer',
    value: {
      seconds: 300,
      finished: { completed: 100, rejected: 2, failed: 3 },
      unfinished: { queued: 4, parsing: 1 },
      oldestUnfinishedSeconds: 90,
      workers: [
        { id: 'a', alive: true },
        { id: 'b', alive: false },
      ],
      vendors: [{ vendor: 'llamaparse', calls: 20, failed: 5, p95Seconds: 1.5, costUsd: 0.1234 }],
      circuits: { llamaparse: 'open' },
    },
  },
};
const plain = (picture: Picture, size = { columns: 200, rows: 100 }) =>
  screen(picture, size).map(stripVTControlCharacters);

test('what must be acted on stands first, and everything is in its unit', () => {
  assert.deepEqual(plain(PICTURE), [
    'burnline top  03:00:00Z  2 open  1 objective blind',
    '',
    'INCIDENTS',
    '#3 critical open           2 min  evil [2Jtitle next  next step in 5 min',
    '#2 warning  open           2 min  step-attempts burns  next step in 5 min',
    '#1 critical acknowledged   2 min  step-attempts burns  by ada',
    '',
    'ON CALL  docs: Ada',
    '',
    'STATE    OBJECTIVE                ATTAINED  TARGET BUDGET LEFT          ENDS IN',
    'critical step-attempts             99.99 % 98.00 % ░░░░░░░░░░ -20.00 %   60 min',
    'blind    api-fast                        - 98.00 % █████░░░░░ 50.00 %',
    'ok       documents-processed       97.99 % 98.00 % █████░░░░░ 50.00 %',
    '',
    'DOCUMENTS  20.0 a minute  3 failed  2 rejected in 5 min  5 unfinished, oldest 90 s  1 worker',
    '  llamaparse         20 calls     5 failed    p95 1.5 s      $0.1234 circuit open',
    '',
  ]);
});

test('what does not answer is said in its place, and no line is wider or lower than the terminal', () => {
  const away = { kind: 'silent', why: 'Cannot reach the document API at http://127.0.0.1:8080' } as const;
  const lines = plain({ ...PICTURE, pulse: away }, { columns: 40, rows: 100 });
  assert(lines.includes('DOCUMENTS  Cannot reach the document API'));
  assert(lines.every((line) => line.length <= 40));
  const router = { kind: 'silent', why: 'x' } as const;
  assert.match(plain({ ...PICTURE, incidents: router, slos: router, onCall: router })[0] ?? '', /does not answer/);
  assert.equal(plain(PICTURE, { columns: 80, rows: 5 }).length, 4);
});
