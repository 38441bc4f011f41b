/** A validation in words: for people, and as a case for each check for a CI. Pure. */
import { type Case, suiteOf } from '#loadtests/junit.ts';
import type { FactDifference } from './compare.ts';
import type { Fact } from './facts.ts';
import type { Middle, Pace } from './performance.ts';
import type { Validation } from './verdict.ts';

const told = (value: Fact | undefined): string => (value === undefined ? 'nothing' : String(value));

/** `documents/invoice.pdf/end: was completed, is lost …` */
export const differenceWords = ({ name, was, is }: FactDifference): string =>
  `${name}: was ${told(was)}, is ${told(is)}`;

export function paceWords({ name, unit, was, is, times, low, high, p, timesP95, verdict, matters }: Pace): string {
  const middle = (of: Middle): string =>
    unit === 'ms' ? `${round(of.p50)} ms (p95 ${round(of.p95)} ms)` : `${round(of.p50)}/s`;
  const seen = `${name}: was ${middle(was)}, is ${middle(is)}`;
  if (verdict === 'too few') return `${seen}; too few to say (${was.count} and ${is.count})`;
  const sure = `${round(times)} times worse by the median, surely between ${round(low)} and ${round(high)}; p = ${chance(p)}`;
  if (verdict === 'slower')
    return `${seen}; ${sure}${matters ? `, p95 ${round(timesP95)} times` : ', too little to matter'}`;
  return `${seen}; ${verdict}`;
}

const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, ''));
const chance = (p: number): string => (p < 0.001 ? 'under 0.001' : p.toFixed(3));

export type Block = { readonly title: string; readonly bad: boolean; readonly lines: readonly string[] };

/** What matters first; nothing where there is nothing to say. */
export function blocksOf(one: Validation): Block[] {
  const { differences, paces, notCompared, notes, left } = one;
  const facts = (matters: boolean): string[] =>
    differences
      .filter((each) => each.matters === matters)
      .map((each) => `${differenceWords(each)}\n    ${each.because}`);
  const blocks: Block[] = [
    { title: 'Differs, and matters', bad: true, lines: facts(true) },
    { title: 'Slower, and matters', bad: true, lines: paces.filter((each) => each.matters).map(paceWords) },
    { title: 'Differs, and does not matter', bad: false, lines: facts(false) },
    { title: 'Performance', bad: false, lines: paces.filter((each) => !each.matters).map(paceWords) },
    { title: 'Not compared', bad: false, lines: notCompared.map(({ name, because }) => `${name}: ${because}`) },
    { title: 'Noted', bad: false, lines: notes },
    { title: `Not erased (correlation ID ${one.run})`, bad: false, lines: left },
  ];
  return blocks.filter(({ lines }) => lines.length > 0);
}

export function headlineOf({ verdict, checks, differences, paces, versions }: Validation): string {
  const facts = checks.reduce((sum, one) => sum + one.facts, 0);
  const against = `version ${versions.target} against a baseline of ${versions.baseline}`;
  const few = `${checks.length} checks, ${facts} facts; ${against}`;
  if (verdict === 'same') return `the same or better: ${few}`;
  const worse = differences.filter(({ matters }) => matters).length;
  const slower = paces.filter(({ matters }) => matters).length;
  return `differs in ${worse} facts and ${slower} paces that matter: ${few}`;
}

export function junitOfValidation(one: Validation): string {
  const { target, run, begunAt, seconds } = one;
  const cases = one.checks.map(({ check }): Case => {
    const of = <T extends { readonly name: string }>(all: readonly T[]) =>
      all.filter(({ name }) => name === check || name.startsWith(`${check}/`));
    const paces = check === 'performance' ? one.paces : [];
    const differences = of(one.differences);
    const bad = [
      ...differences.filter(({ matters }) => matters).map(differenceWords),
      ...paces.filter(({ matters }) => matters).map(paceWords),
    ];
    const notCompared = of(one.notCompared);
    const whole = notCompared.find(({ name }) => name === check);
    const says = [
      ...differences.map((each) => `${differenceWords(each)} (${each.because})`),
      ...paces.map(paceWords),
      ...notCompared.map(({ name, because }) => `${name} is not compared: ${because}`),
    ];
    return {
      name: check,
      failure: bad.length === 0 ? undefined : bad.join('; '),
      says: says.join('\n') || 'as recorded',
      skipped: whole?.because,
    };
  });
  return suiteOf({ name: 'validate', target, run, begunAt, seconds, cases });
}
