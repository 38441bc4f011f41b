/**
 * What a PromQL server says of many objectives at once, as visits of their targets: now, and for a time when nobody looked.
 * One target is one job and instance; what several objectives want of it is one visit, as a scrape would be.
 */
import { hours, type Milliseconds, minutes, type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import type { CounterVisit } from '#slo/feed-counters.ts';
import { PROCESS_START } from '#slo/ledger/plan.ts';
import type { Objective } from '#slo/objective.ts';
import { type Ask, type Asked, PARTS, type Reading, readAt, readBack, readingQuery, selectorsOf } from './query.ts';
import { literal, quoted } from './text.ts';
import { targetOf, visitsOf } from './visits.ts';

/** Questions open at once: a server evaluates twenty of everybody's. */
const OPEN_MOST = 8;
/** Values of one answer, and of all objectives' answers for one stretch of history: some 100 MB. */
const ANSWER_VALUES = 400_000;
const STRETCH_VALUES = 1_500_000;
const STRETCH_POINTS = [20, 5_000] as const;

export type CountsNow = {
  readonly visits: readonly CounterVisit[];
  /** Objectives whose answer is missing, and why. */
  readonly missing: ReadonlyMap<string, string>;
  /** Of the jobs that are seen or asked for: is the last scrape of each target well? Undefined: that is not known. */
  readonly up: ReadonlyMap<string, boolean> | undefined;
};
export type Stretch = { readonly step: Seconds; readonly visits: readonly CounterVisit[] };
export type HistorySpan = { readonly from: Seconds; readonly to: Seconds };

const NOTHING: Reading = { good: [], bad: [], total: [], value: [], warnings: [] };

/** Never throws for what the server does not answer: that is missing, and said. */
export async function countsNow(
  server: Ask,
  objectives: readonly Objective[],
  at: Milliseconds,
  signal: AbortSignal,
): Promise<CountsNow> {
  const missing = new Map<string, string>();
  const readings = await eachOf(objectives, async (objective) => {
    return await readAt(server, objective, at, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      missing.set(objective.id, error instanceof Error ? error.message : String(error));
      return undefined;
    });
  });
  const reading = together(readings);
  const jobs = [...new Set([...jobsIn(reading), ...objectives.flatMap(jobsNamed)])];
  const facts = await factsOf(server, jobs, at, signal);
  return { visits: visitsOf(reading, facts?.starts), missing, up: facts?.up };
}

/** Names of objectives whose answer is missing must not be taken for absent: see `asked` of the ledger's `Visit`. */
export const namesOf = (objective: Objective): string[] => selectorsOf(objective).map(({ name }) => name);

/** What is not told by the counters themselves: when processes began, and which targets there are. */
async function factsOf(server: Ask, jobs: readonly string[], at: Milliseconds, signal: AbortSignal) {
  if (jobs.length === 0) return undefined;
  const query = `{__name__=~"up|${PROCESS_START}",job=~${anyOf(jobs)}}`;
  const found = await server.instant(query, at, signal).catch(() => {
    signal.throwIfAborted();
    return undefined;
  });
  if (found === undefined) return undefined;
  const named = (name: string) => found.series.filter(({ labels }) => labels['__name__'] === name);
  const up = new Map(named('up').map(({ labels, points }) => [targetOf(labels), points[0]?.value === 1] as const));
  return { up, starts: named(PROCESS_START) };
}

/** By which a stall is told: what waits, in the whole database, and when a worker was last seen. */
export type StallNames = { readonly waiting: string; readonly lastSeen: string };

/** Each process shows the whole database's. A moment that was scraped a while ago is moved on by that while. */
export async function stallNow(server: Ask, { waiting, lastSeen }: StallNames, at: Milliseconds, signal: AbortSignal) {
  const asked = [
    { name: waiting, query: `max by (status) (${waiting})` },
    { name: lastSeen, query: `max(${lastSeen} + (time() - timestamp(${lastSeen})))` },
  ];
  const found = await eachOf(asked, async ({ name, query }) => {
    const { series } = await server.instant(query, at, signal);
    return series.flatMap(({ points: [point] }) => (point === undefined ? [] : [{ name, value: point.value }]));
  });
  return found.flat();
}

/**
 * What the server remembers, oldest first: the last 90 minutes as fine as `finest`, a day by the minute, the rest by the
 * quarter of an hour, which is how fine the ledger keeps it. In stretches that fit into memory, however many series.
 * @throws {Fault} what the server's adapter throws.
 */
export async function* countsBack(
  server: Ask,
  objectives: readonly Objective[],
  span: HistorySpan & { readonly finest: Seconds },
  signal: AbortSignal,
): AsyncGenerator<Stretch> {
  const counts = await eachOf(objectives, (objective) =>
    countSeries(server, objective, toMilliseconds(span.to), signal),
  );
  const all = Math.max(1, ...counts, (counts.reduce((sum, one) => sum + one, 0) * ANSWER_VALUES) / STRETCH_VALUES);
  const [least, most] = STRETCH_POINTS;
  const points = Math.min(most, Math.max(least, Math.floor(ANSWER_VALUES / all)));
  for (const { from, to, step } of gradesOf(span)) {
    for (let begin = from; begin <= to; begin = seconds(begin + points * step)) {
      const end = seconds(Math.min(to, begin + (points - 1) * step));
      yield { step, visits: await stretch(server, objectives, { from: begin, to: end, step }, signal) };
    }
  }
}

type Grade = { readonly from: Seconds; readonly to: Seconds; readonly step: Seconds };

/** Both ends of a grade are looks, and the next begins one of its own steps later: so a change of pace is no gap. */
export function gradesOf({ from, to, finest }: HistorySpan & { readonly finest: Seconds }): Grade[] {
  const day = Math.max(finest, minutes(1));
  const long = Math.max(finest, minutes(15));
  const borders = [
    { until: to - hours(25), step: long },
    { until: to - minutes(90), step: day },
    { until: to, step: finest },
  ];
  const grades: Grade[] = [];
  let next: number = from;
  for (const { until, step } of borders) {
    const first = Math.ceil(next / step) * step;
    const last = Math.floor(until / step) * step;
    if (last < first) continue;
    grades.push({ from: seconds(first), to: seconds(last), step: seconds(step) });
    next = last + (borders.find((one) => one.step < step)?.step ?? step);
  }
  return grades;
}

async function stretch(server: Ask, objectives: readonly Objective[], grade: Grade, signal: AbortSignal) {
  const span = { from: toMilliseconds(grade.from), to: toMilliseconds(grade.to), step: grade.step };
  const readings = await eachOf(objectives, async (objective) => {
    const pieces: Reading[] = [];
    for await (const piece of readBack(server, objective, span, signal)) pieces.push(piece);
    return together(pieces);
  });
  const reading = together(readings);
  const jobs = jobsIn(reading);
  const starts =
    jobs.length === 0 ? [] : (await server.range(`${PROCESS_START}{job=~${anyOf(jobs)}}`, span, signal)).series;
  return visitsOf(reading, starts);
}

async function countSeries(server: Ask, objective: Objective, at: Milliseconds, signal: AbortSignal): Promise<number> {
  const query = readingQuery(objective);
  if (query === undefined) return 0;
  const { series } = await server.instant(`count(${query})`, at, signal);
  return series[0]?.points[0]?.value ?? 0;
}

function together(readings: readonly (Reading | undefined)[]): Reading {
  const found = readings.flatMap((one) => one ?? []);
  const parts = Object.fromEntries(PARTS.map((part) => [part, found.flatMap((one) => one[part])]));
  return { ...NOTHING, ...parts, warnings: found.flatMap(({ warnings }) => warnings) };
}

function jobsIn(reading: Reading): string[] {
  const all: Asked['series'] = PARTS.flatMap((part) => reading[part]);
  return [...new Set(all.flatMap(({ labels }) => labels['job'] ?? []))];
}

/** The jobs that an objective's selectors name. */
export const jobsNamed = (objective: Objective): string[] =>
  selectorsOf(objective).flatMap(({ matchers }) =>
    matchers.flatMap(({ label, op, value }) => (label === 'job' && op === '=' ? [value] : [])),
  );

const anyOf = (texts: readonly string[]): string => quoted(texts.map(literal).join('|'));

/** In the order of `all`, some at a time. */
async function eachOf<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = all.entries();
  const worker = async () => {
    for (const [i, one] of queue) results[i] = await work(one);
  };
  await Promise.all(Array.from({ length: OPEN_MOST }, worker));
  return results;
}
