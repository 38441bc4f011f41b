/**
 * Behaviour against the recorded one: exactly, each fact. What differs matters, unless a rule here says why not. Pure.
 */
import type { CheckResult, Fact, Facts } from './facts.ts';

export type FactDifference = {
  readonly name: string;
  /** undefined: there was none. */
  readonly was: Fact | undefined;
  readonly is: Fact | undefined;
  readonly matters: boolean;
  readonly because: string;
};

type Rule = readonly [because: string, applies: (name: string, was: Fact | undefined, is: Fact | undefined) => boolean];

const isRefusedNow = (was: Fact | undefined, is: Fact | undefined): boolean =>
  is === 401 || is === 'unauthenticated' || (was === 'an answer' && is === 'problem document');

/** What a target may do otherwise than the one that was recorded. */
const HARMLESS: readonly Rule[] = [
  [
    'something new in the contract breaks nobody who does not know it',
    // A field that must be sent now, or a parameter, does.
    (name, was, is) =>
      name.startsWith('contract/') && was === undefined && !String(is).startsWith('required ') && !isNeededBody(name),
  ],
  ['one more instrument harms nobody', (name, was) => name.startsWith('metrics/') && was === undefined],
  [
    'it asks for a key where the recorded one, on loopback, did not',
    (name, was, is) => name.startsWith('refusals/no key/') && isRefusedNow(was, is),
  ],
  [
    'what stands before it names itself, without a version',
    (name, _was, is) => name.endsWith('/server') && typeof is === 'string' && !/\d/.test(is),
  ],
];

const isNeededBody = (name: string): boolean => / \/.*\/body .*\//.test(name) && !name.endsWith('?');

const MATTERS: readonly [begins: string, because: string][] = [
  ['contract/', 'a client of the recorded contract may not work with it'],
  ['metrics/', 'objectives, rules and dashboards read it'],
  ['headers/', 'browsers and caches go by it'],
  ['refusals/', 'what must be refused must be refused in the same way'],
  ['documents/', 'a document of this type does not end as it must'],
  ['rejections/', 'what cannot be read must be rejected, for the right reason'],
  ['idempotency/', 'who tries again must not get a second document'],
  ['concurrency/', 'each upload must end, once'],
  ['rate-limit/', 'who asks too much must be told when to come back'],
  ['erasure/', 'what is erased must be gone'],
  ['health/', 'whatever looks whether it lives goes by it'],
];

/** Only of checks that were made, and of what could be seen on both sides. In the order of names. */
export function compareFacts(recorded: Facts, results: readonly CheckResult[]): FactDifference[] {
  const made = results.map(({ check }) => `${check}/`);
  const hidden = results.flatMap(({ notSeen }) => Object.keys(notSeen));
  const found: Facts = Object.assign({}, ...results.map(({ facts }) => facts));
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(found)])].sort();
  return names
    .filter((name) => made.some((one) => name.startsWith(one)))
    .filter((name) => name.endsWith('/answered') || !hidden.some((one) => name.startsWith(one)))
    .filter((name) => recorded[name] !== found[name])
    .map((name) => weigh(name, recorded[name], found[name]));
}

function weigh(name: string, was: Fact | undefined, is: Fact | undefined): FactDifference {
  const harmless = HARMLESS.find(([, applies]) => applies(name, was, is));
  if (harmless !== undefined) return { name, was, is, matters: false, because: harmless[0] };
  const because = MATTERS.find(([begins]) => name.startsWith(begins))?.[1] ?? 'it behaves otherwise';
  return { name, was, is, matters: true, because };
}
