/**
 * A result for a CI: one case for each objective, one for each count that was compared, one for the knee;
 * or those of a validation (validate/report.ts).
 *
 * Pure. Source: https://github.com/testmoapp/junitxml (what the readers of CI servers have in common).
 */
import type { Difference } from './accounts.ts';
import type { Result } from './result.ts';
import { countLines, idsShown, kneeWords, objectiveWords, text } from './words.ts';

export type Case = {
  readonly name: string;
  readonly failure: string | undefined;
  readonly says: string;
  /** Why it was not looked at. */
  readonly skipped?: string | undefined;
};
export type Suite = {
  readonly name: string;
  readonly target: string;
  readonly run: string;
  /** ISO 8601. */
  readonly begunAt: string;
  readonly seconds: number;
  readonly cases: readonly Case[];
};

export function junitOf(result: Result): string {
  const { target, run, begunAt, seconds } = result;
  return suiteOf({ name: `loadtest ${result.scenario}`, target, run, begunAt, seconds, cases: casesOf(result) });
}

export function suiteOf({ name, target, run, begunAt, seconds, cases }: Suite): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((one) => one.failure === undefined && one.skipped !== undefined).length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${text(name)}" ${counts}>`,
    `  <testsuite name="${text(name)}" ${counts} timestamp="${text(begunAt.replace(/\.\d+Z$/, ''))}">`,
    `    <properties><property name="target" value="${text(target)}"/><property name="run" value="${text(run)}"/></properties>`,
    ...cases.map((one) => caseOf(name, one)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function casesOf(result: Result): Case[] {
  const { objectives, differences, knee, because, k6 } = result;
  const held = objectives.map(
    (judged): Case => ({
      name: judged.promise.displayName,
      failure: judged.state === 'kept' ? undefined : judged.state,
      says: objectiveWords(judged),
    }),
  );
  const counts = countLines(result)
    .map(([who, says]) => `${who}: ${says}`)
    .join('\n');
  const compared = COMPARED.map(([name, kinds]): Case => {
    const found = differences.filter(({ kind }) => kinds.includes(kind));
    return {
      name,
      failure: found.length === 0 ? undefined : found.map(({ says }) => says).join('; '),
      says: [...found.map(({ says, ids }) => `${says}: ${idsShown(ids)}`), counts].join('\n'),
    };
  });
  const cases = [...held, ...compared];
  if (knee !== null) {
    const failed = because.some((one) => /knee|borne/.test(one));
    cases.push({ name: 'Knee', failure: failed ? because.join('; ') : undefined, says: kneeWords(knee) });
  }
  const told = cases.some(({ failure }) => failure !== undefined);
  const rest = result.verdict === 'broken' && !told ? because.join('; ') : undefined;
  cases.push({ name: 'k6’s own thresholds', failure: rest, says: k6.crossed.join('\n') || 'all held' });
  return cases;
}

const COMPARED: readonly [name: string, kinds: readonly Difference['kind'][]][] = [
  ['No document is lost', ['lost', 'twice', 'stranger', 'unfinished']],
  ['Documents end as they must', ['unexpected', 'disagree']],
  ['The counts agree', ['k6', 'counter', 'ledger']],
];

function caseOf(suite: string, { name, failure, says, skipped }: Case): string {
  const out = `<system-out>${text(says)}</system-out>`;
  const inside =
    failure !== undefined
      ? `<failure message="${text(failure)}">${text(says)}</failure>`
      : skipped === undefined
        ? out
        : `<skipped message="${text(skipped)}"/>${out}`;
  return `    <testcase classname="${text(suite)}" name="${text(name)}">${inside}</testcase>`;
}
