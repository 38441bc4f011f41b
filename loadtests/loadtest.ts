/**
 * One load test from the first question to the result: asks whether the target can be tested at all, lets k6 send, ends it
 * when nothing can change any more, follows what k6 did not see the end of, and compares the counts.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '#kernel/errors.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Counts } from '#slo/objective.ts';
import type { Accounts, Finished } from './accounts.ts';
import { type Book, makeBook } from './book.ts';
import { type Asking, type DocumentsAt, getJson } from './documents-api.ts';
import { decideEarly } from './early.ts';
import type { Plan } from './k6/plan.ts';
import { FILES, failureOf, makeTail, runK6 } from './k6-run.ts';
import { countersOf, type K6Summary, readSummary } from './k6-summary.ts';
import { PROMISED, type Promises } from './promises.ts';
import type { Watch } from './resources.ts';
import { type Budget, type Result, resultOf } from './result.ts';
import { type Scenario, USUAL } from './scenarios.ts';
import {
  beginLedger,
  grown,
  type Patience,
  type RouterAt,
  readFinished,
  readWatched,
  settleBook,
  untilEnded,
} from './settle.ts';

export type Target = {
  /** The document API. */
  readonly url: string;
  /** Virtual users take turns with them: the rate limit is one key's. */
  readonly keys: readonly string[];
  /** Of every worker; none: the counters are not asked. */
  readonly metrics: readonly string[];
  readonly router: { readonly url: string; readonly key: string | undefined } | undefined;
  /** Does nobody else send to it? Then its counters must have grown by just what was sent. */
  readonly alone: boolean;
};

export type Loadtest = {
  readonly plan: Plan;
  readonly promises: Promises;
  readonly target: Target;
  /** Where everything is written. */
  readonly folder: string;
  readonly k6: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly prometheus: string | undefined;
  readonly leastKnee: number | undefined;
  /** Of a stack that runs here. */
  readonly watch: Watch | undefined;
  readonly patience?: Patience;
};

export type Progress =
  | { readonly kind: 'says'; readonly text: string }
  | { readonly kind: 'sending'; readonly book: Book; readonly elapsed: Milliseconds }
  | { readonly kind: 'settling'; readonly unfinished: number };
type Parts = Asking & { readonly tell: (progress: Progress) => void };

const LOOK_EVERY = milliseconds(500);
/** Looks at the records between two decisions: these go through all entries. */
const LOOKS_A_DECISION = 4;

/** @throws {Fault} where it could not be run: `target_unfit`, `unanswered`, `k6_failed`, `broken_off`. */
export async function runLoadtest(test: Loadtest, parts: Parts): Promise<Result> {
  const { plan, target, promises, folder } = test;
  const { clock, tell } = parts;
  const api: DocumentsAt = { ...parts, url: target.url, key: target.keys[0] };
  await probe(api);
  const platform = await openPlatform(test, parts);
  emptied(folder);
  writeFileSync(join(folder, PLAN_FILE), `${JSON.stringify(plan, null, 2)}\n`);
  await test.watch?.begin();
  const begun = clock.now();
  const book = makeBook();
  const { exitCode, endedEarly } = await send(test, parts, book);
  const summary = summaryOf(folder, exitCode, endedEarly !== undefined);
  tell({ kind: 'says', text: 'k6 has ended; what it did not see the end of is followed' });
  await untilEnded(api, plan.run, test.patience, (unfinished) => tell({ kind: 'settling', unfinished }));
  const ended = clock.now();
  const observed = await test.watch?.end();
  const rows = await settleBook(api, plan.run, book);
  const accounts: Accounts = {
    entries: [...book.entries.values()],
    rows,
    // Stopped between a line and its count, both may be right.
    k6: endedEarly === undefined ? countersOf(summary) : undefined,
    alone: target.alone,
    ...(await platform.counted(rows.filter(({ status }) => isEvent(status)).length)),
  };
  const budgets = await platform.budgets();
  const { notAsked } = platform;
  const { leastKnee } = test;
  return resultOf({
    ...{ plan, promises, target: target.url, begun, ended, accounts, summary },
    ...{ exitCode, endedEarly, notAsked, budgets, leastKnee, observed },
  });
}

const PLAN_FILE = 'plan.json';

/** What an earlier test left there would be counted with this one's. */
function emptied(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const file of Object.values(FILES)) rmSync(join(folder, file), { force: true });
}

/** Of documents-processed. */
const isEvent = (status: string): boolean => status === 'completed' || status === 'failed';

/** @throws {Fault} `target_unfit` with what to do. */
async function probe(api: DocumentsAt): Promise<void> {
  const ready = await api.http(`${api.url}/readyz`, { timeout: milliseconds(5_000) }).catch(() => undefined);
  if (ready === undefined) throw unfit(api, 'nothing answers: is it the document API, and does it run?');
  if (!ready.ok) throw unfit(api, `/readyz answers ${ready.status}: is it the document API, and is it ready?`);
  await ready.body?.cancel();
  try {
    await getJson(api, `${api.url}/v1/documents?limit=1`, z.object({ items: z.array(z.unknown()) }), api.key);
  } catch (cause) {
    throw unfit(api, api.key === undefined ? 'does it need a key (--key, BURNLINE_KEY)?' : 'is the key right?', cause);
  }
}

const unfit = ({ url }: DocumentsAt, why: string, cause?: unknown): Fault =>
  new Fault('target_unfit', `Cannot test ${url}: ${why}`, { cause });

type Platform = {
  readonly notAsked: readonly string[];
  counted(events: number): Promise<{ counters: Finished | undefined; ledger: Counts | undefined }>;
  budgets(): Promise<Budget[]>;
};

/** The counts before the test, of what can be asked. */
async function openPlatform({ target, promises }: Loadtest, parts: Parts): Promise<Platform> {
  const { metrics } = target;
  const notAsked: string[] = [];
  const before = metrics.length === 0 ? undefined : await readFinished(parts, metrics);
  if (before === undefined) notAsked.push('the counters of the workers: no --metrics is given');
  const { id } = promises['documents-processed'];
  let router: RouterAt | undefined = target.router && { ...parts, ...target.router };
  if (router === undefined) notAsked.push('the router’s ledger: no --router is given');
  const ledger = router && (await beginLedger(router, id, target.alone));
  if (router !== undefined && ledger === undefined) {
    notAsked.push(`the router’s ledger: ${router.url} watches no ${id}, or does not see its targets`);
    router = undefined;
  }
  const budgetOf = async (name: string) => router && (await readWatched(router, name))?.budgetRemaining;
  const ids = PROMISED.map((name) => promises[name].id);
  const budgets = new Map<string, number | undefined>();
  for (const one of ids) budgets.set(one, await budgetOf(one));
  return {
    notAsked,
    counted: async (events) => ({
      counters: before && grown(before, await readFinished(parts, metrics)),
      ledger: await ledger?.grown(events),
    }),
    budgets: async () => {
      const found: Budget[] = [];
      for (const [one, first] of budgets) {
        const after = await budgetOf(one);
        if (first !== undefined && after !== undefined) found.push({ id: one, before: first, after });
      }
      return found;
    },
  };
}

async function send(test: Loadtest, parts: Parts, book: Book): Promise<{ exitCode: number; endedEarly?: string }> {
  const { plan, promises, folder, target } = test;
  const { clock, signal, tell } = parts;
  const key = target.keys.join(' ');
  const running = runK6({
    program: test.k6,
    // Nothing of the keys that the shell holds for another one.
    environment: { ...test.environment, BURNLINE_URL: target.url, BURNLINE_KEY: key, BURNLINE_KEY_FILE: undefined },
    plan: join(folder, PLAN_FILE),
    folder,
    prometheus: test.prometheus,
    run: plan.run,
  });
  const tail = makeTail(folder);
  const done = new AbortController();
  const ended = running.ended.finally(() => done.abort());
  ended.catch(() => {});
  const begun = clock.steady();
  const { climbs } = USUAL[plan.scenario as Scenario];
  let endedEarly: string | undefined;
  for (let look = 1; !done.signal.aborted; look++) {
    await clock.sleep(LOOK_EVERY, done.signal).catch(() => {});
    for (const record of tail()) book.add(record);
    tell({ kind: 'sending', book, elapsed: milliseconds(clock.steady() - begun) });
    if (endedEarly !== undefined) continue;
    if (signal?.aborted) endedEarly = BROKEN_OFF;
    else if (look % LOOKS_A_DECISION === 0) {
      const { phases } = plan;
      const decision = decideEarly({ phases, climbs, entries: book.entries.values(), promises, now: clock.now() });
      if (decision.kind === 'stop') endedEarly = decision.because;
    }
    if (endedEarly === undefined) continue;
    tell({ kind: 'says', text: `ended early: ${endedEarly}` });
    running.stop();
  }
  const exitCode = await ended;
  for (const record of tail()) book.add(record);
  if (signal?.aborted) throw new Fault('broken_off', 'The test was broken off: it says nothing');
  return { exitCode, ...(endedEarly === undefined ? {} : { endedEarly }) };
}

const BROKEN_OFF = 'it was broken off';
const LOG_SHOWN = 2_000;

/** @throws {Fault} `k6_failed`, with what k6 said last. */
function summaryOf(folder: string, exitCode: number, isStopped: boolean): K6Summary {
  const said = () => readFileSync(join(folder, FILES.log), 'utf8').trim().slice(-LOG_SHOWN);
  const failure = failureOf(exitCode, isStopped);
  if (failure !== undefined) throw new Fault('k6_failed', `${failure} (code ${exitCode}): ${said()}`);
  try {
    return readSummary(readFileSync(join(folder, FILES.summary), 'utf8'));
  } catch (cause) {
    throw new Fault('k6_failed', `k6 wrote no summary (code ${exitCode}): ${said()}`, { cause });
  }
}
