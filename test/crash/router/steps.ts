/**
 * The named steps of a router's life, told by its statements alone: the same on Postgres, where a relay reads the wire, and
 * embedded, where a preloaded module stands between the process and its database's thread. Nothing in the product knows.
 */

export type Step = {
  /** Before it reaches the database, or when its answer is there and has not reached the router. */
  readonly edge: 'before' | 'after';
  readonly statement: RegExp;
  /** An earlier statement of the same transaction. */
  readonly within?: RegExp;
  /** Of `within`, or else of the statement: it found something. */
  readonly found?: boolean;
};

const COMMIT = /^commit/;
const INTAKE = /from alerting\.alerts a where a\.fingerprint = any/;
const GROUP = /from alerting\.groups where due_at <= /;
const CLAIM = /with next as materialized/;
const MARK = /update alerting\.notifications set state = \$3/;
const ESCALATION = /from alerting\.incidents where due_at <= /;
const OUTDATED = /a\.config <> \$1/;
const SILENCE = /insert into alerting\.silences/;
const ANSWER = /from alerting\.incidents where id = \$1 for update/;

const around = (name: string, within: RegExp, found: boolean): [string, Step][] => [
  [`${name}: before commit`, { edge: 'before', statement: COMMIT, within, found }],
  [`${name}: after commit`, { edge: 'after', statement: COMMIT, within, found }],
];

export const STEPS: ReadonlyMap<string, Step> = new Map([
  ['intake: after read', { edge: 'after', statement: INTAKE }],
  ...around('intake', INTAKE, false),
  ['group timer: after read', { edge: 'after', statement: GROUP, found: true }],
  ...around('group timer', GROUP, true),
  ...around('claim', CLAIM, true),
  ['sent, not marked', { edge: 'before', statement: MARK }],
  ...around('mark', MARK, true),
  ['escalation: after read', { edge: 'after', statement: ESCALATION, found: true }],
  ...around('escalation', ESCALATION, true),
  ...around('reload', OUTDATED, true),
  ...around('silence', SILENCE, false),
  ...around('answer', ANSWER, true),
]);

/** What one connection asks and is answered, in order. */
export type Trail = {
  /** @returns whether the awaited step is reached, before this statement is passed on. */
  asked(text: string): boolean;
  /** @returns whether it is, before this answer is. */
  answered(rows: number): boolean;
};

/** @param awaited the step that is waited for at this moment. */
export function makeTrail(awaited: () => string | undefined): Trail {
  const open: string[] = [];
  let transaction: { text: string; rows: number }[] = [];
  const step = (edge: Step['edge'], text: string): Step | undefined => {
    const name = awaited();
    const wanted = name === undefined ? undefined : STEPS.get(name);
    return wanted?.edge === edge && wanted.statement.test(text) ? wanted : undefined;
  };
  const holds = ({ within, found }: Step): boolean =>
    within === undefined || transaction.some(({ text, rows }) => within.test(text) && (!found || rows > 0));
  return {
    asked: (raw) => {
      const text = raw.trim();
      open.push(text);
      const wanted = step('before', text);
      return wanted !== undefined && holds(wanted);
    },
    answered: (rows) => {
      const text = open.shift() ?? '';
      const wanted = step('after', text);
      const hit = wanted !== undefined && holds(wanted) && (wanted.within !== undefined || !wanted.found || rows > 0);
      if (/^(?:begin|commit|rollback)/.test(text)) transaction = [];
      else transaction.push({ text, rows });
      return hit;
    },
  };
}
