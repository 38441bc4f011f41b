/** Where `slo backtest` and `slo report` take what happened from: rows of a file, or a PromQL server's memory. */
import { readFileSync, statSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '#kernel/clock.ts';
import { describe } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { secret } from '#kernel/secret.ts';
import { type Milliseconds, type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import type { Replay } from '#slo/feed.ts';
import type { CounterReplay } from '#slo/feed-counters.ts';
import type { Objective } from '#slo/objective.ts';

export const FAULTS = 1;
export const USAGE = 2;
/** ROWS_MAX rows of some 25 bytes. */
const EVENTS_BYTES_MAX = 256 * 1024 * 1024;
const AUTHORIZATION_BYTES_MAX = 16 * 1024;
const STEP = seconds(15);

export type SourceOptions = {
  readonly events?: string;
  readonly prometheus?: string;
  readonly from?: Seconds;
  readonly to?: Seconds;
  readonly step?: Seconds;
  readonly tenant?: string;
  readonly authorizationFile?: string;
};

export type Source =
  | { readonly kind: 'rows'; readonly replay: Replay }
  | { readonly kind: 'counters'; readonly replay: CounterReplay }
  | { readonly kind: 'refused'; readonly code: typeof FAULTS | typeof USAGE; readonly message: string };

export const addSourceOptions = (command: Command): Command =>
  command
    .option('--events <csv>', 'time,good,bad in seconds and counts since the row before; - reads standard input')
    .option('--prometheus <url>', "or a PromQL server: the objective's counters, from --from to --to")
    .option('--from <moment>', 'such as 2026-03-01T00:00:00Z', parseMoment)
    .option('--to <moment>', 'default: now, or the last row', parseMoment)
    .option('--step <duration>', 'of the PromQL server: how often; default: 15s', parseSpan)
    .option('--tenant <id>', "of the PromQL server: X-Scope-OrgID, as Mimir's")
    .option('--authorization-file <file>', 'of the PromQL server: a file with the value of the header Authorization');

/** How often a replay is judged. */
export const tickOption = (tick: Seconds): Option =>
  new Option('--tick <duration>', 'how often it is judged, such as 5s or 1m')
    .argParser(parseSpan)
    .default(tick, `${tick}s`);

/** What is wrong with the options together; undefined: nothing. */
export function wrongSource({ events, prometheus, from, to, ...rest }: SourceOptions): string | undefined {
  if ((events === undefined) === (prometheus === undefined)) return 'expected either --events or --prometheus';
  if (prometheus !== undefined && !/^https?:\/\/[^/]/.test(prometheus)) {
    return `--prometheus is "${prometheus}": expected a URL such as http://127.0.0.1:9090`;
  }
  if (prometheus !== undefined && from === undefined) return '--prometheus needs --from';
  const foreign = Object.entries(rest).find(([name, value]) => FOREIGN.has(name) && value !== undefined);
  if (events !== undefined && foreign !== undefined) return `--${kebab(foreign[0])} goes with --prometheus alone`;
  if (from !== undefined && to !== undefined && to <= from) return '--to must be after --from';
  return undefined;
}

const FOREIGN: ReadonlySet<string> = new Set(['step', 'tenant', 'authorizationFile']);
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export async function readSource(objective: Objective, options: SourceOptions): Promise<Source> {
  return options.prometheus === undefined ? readEvents(options) : readCounters(objective, options.prometheus, options);
}

async function readEvents({ events: file = '', from, to }: SourceOptions): Promise<Source> {
  const { paceOf, readRows } = await import('#slo/replay.ts');
  let text: string;
  try {
    const size = file === '-' ? 0 : statSync(file).size;
    if (size > EVENTS_BYTES_MAX) return refused(FAULTS, `${file}: ${size} bytes, the most is ${EVENTS_BYTES_MAX}`);
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    return refused(USAGE, `Cannot read ${file}: ${describe(error)}`);
  }
  const read = readRows(text);
  if (read.kind === 'fault') return refused(FAULTS, `${file}:${read.line}  fault: ${read.reason}`);
  const rows = read.rows.filter(({ at }) => at > (from ?? -1) && at <= (to ?? Number.POSITIVE_INFINITY));
  if (rows.length === 0) return refused(FAULTS, `${file}: no row lies between --from and --to`);
  return { kind: 'rows', replay: { rows, pace: rows.length === read.rows.length ? read.pace : paceOf(rows) } };
}

async function readCounters(objective: Objective, url: string, options: SourceOptions): Promise<Source> {
  const { makePromql } = await import('#prometheus/vendors/promql.ts');
  const { readVisits } = await import('#prometheus/visits.ts');
  const { SETTLED } = await import('#prometheus/query.ts');
  const { step = STEP, tenant, authorizationFile, from = seconds(0) } = options;
  // Whole steps, so that the same question asks for the same moments.
  const end = options.to ?? seconds(systemClock.now() / 1000 - SETTLED);
  const span = { from: seconds(Math.ceil(from / step) * step), to: seconds(Math.floor(end / step) * step), step };
  if (span.to <= span.from) return refused(USAGE, `there is no whole step of ${step} s between --from and --to`);
  try {
    const authorization =
      authorizationFile === undefined ? {} : { authorization: readAuthorization(authorizationFile) };
    const server = makePromql({
      http,
      clock: systemClock,
      url,
      ...(tenant === undefined ? {} : { tenant }),
      ...authorization,
    });
    const read = await readVisits(server, objective, span);
    if (read.kind === 'fault') return refused(FAULTS, `${objective.id} ${read.reason}`);
    for (const warning of read.warnings) process.stderr.write(`${url}  warning: ${warning}\n`);
    if (read.visits.length === 0) return refused(FAULTS, `${url} remembers no series of ${objective.id} in that time`);
    return { kind: 'counters', replay: { visits: read.visits, step, begin: span.from, end: span.to } };
  } catch (error) {
    return refused(FAULTS, describe(error));
  }
}

function readAuthorization(file: string) {
  if (statSync(file).size > AUTHORIZATION_BYTES_MAX) throw new Error(`${file} is larger than a header may be`);
  return secret(readFileSync(file, 'utf8').trim());
}

const refused = (code: typeof FAULTS | typeof USAGE, message: string): Source => ({ kind: 'refused', code, message });

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

export function parseSpan(text: string): Seconds {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const value = Number(number) * (UNITS[unit] ?? 0);
  if (!(value >= 1 && value <= 3_600)) throw new InvalidArgumentError('expected a duration of 1s to 1h, such as 5s');
  return seconds(value);
}

export function parseMoment(text: string): Seconds {
  const [, day = ''] = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  // `Date` takes 31 February for 3 March.
  const isDay = day !== '' && new Date(`${day}T00:00Z`).toJSON()?.startsWith(day);
  const at = isDay ? Date.parse(text) : Number.NaN;
  if (!(at >= 0)) throw new InvalidArgumentError('expected a moment with its offset, such as 2026-03-01T00:00:00Z');
  return seconds(at / 1000);
}

/** The same, as the router's times are. */
export const parseAt = (text: string): Milliseconds => toMilliseconds(parseMoment(text));
