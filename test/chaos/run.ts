/** One scenario: sends, breaks, mends, follows every document to its end, and holds what came of it against what was stated. */
import { loadavg } from 'node:os';
import { z } from 'zod';
import { readFiles } from '#app/slo-files.ts';
import { systemClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { differences } from '#loadtests/accounts.ts';
import { makeBook } from '#loadtests/book.ts';
import { type DocumentsAt, listRows } from '#loadtests/documents-api.ts';
import { judge as judgePromise } from '#loadtests/judge.ts';
import { type Promises, promisesOf } from '#loadtests/promises.ts';
import { beginLedger, grown, type Patience, readFinished, settleBook, untilEnded } from '#loadtests/settle.ts';
import { REJECTED_KINDS } from '#test/crash/documents.ts';
import type { Uploads } from '#test/crash/uploads.ts';
import { inbox, type Mail } from '#test/kit/alertmanager.ts';
import { findRepeated } from './repeats.ts';
import type { Scenario } from './scenario.ts';
import { type Ground, NEIGHBOUR, openStage, type Stage } from './stage.ts';
import {
  CHANNELS,
  type Channel,
  figures,
  type Judgement,
  judge,
  lostIds,
  type Measured,
  type Opened,
  PAGE_WITHIN,
  statement,
  type Traced,
  timeToRecover,
  twiceIds,
} from './verdict.ts';

export type ChaosResult = {
  readonly scenario: string;
  readonly database: string;
  readonly seed: number;
  readonly faults: string;
  readonly verdict: 'kept' | 'broken';
  readonly judgements: readonly Judgement[];
  readonly figures: Readonly<Record<'documents' | 'processed' | 'failed' | 'lost' | 'duplicated', number>>;
  readonly pages: Measured['pages'];
  readonly opened: Measured['opened'];
  /** Null: it did not. */
  readonly recoverMs: number | null;
  readonly budget: { readonly burnRate: number; readonly spent: number };
  readonly differences: Measured['differences'];
  /** The machine's, of a minute, at its highest of three looks. */
  readonly load: number;
  readonly seconds: number;
};

export type RunOptions = {
  readonly scenario: Scenario;
  readonly ground: Ground;
  readonly seed: number;
  /** In the place of the scenario's own, in seconds: a run of CI is shorter, and does not wait until all is well again. */
  readonly times?: Partial<Pick<Scenario, 'warm' | 'lasts' | 'after' | 'pace'>>;
  /** The fault ends as soon as somebody is paged, and after its time at the latest. */
  readonly endsWhenPaged?: boolean;
  readonly tell: (line: string) => void;
  /** Breaks it off: what was broken is mended, and nothing is said. */
  readonly signal: AbortSignal;
};

/** From the objectives that ship. */
export function shippedPromises(): Promises {
  const read = readFiles([]);
  if (read.kind !== 'files') throw new Error(read.message);
  return promisesOf(read.files);
}

/** What stands still for so long, a vendor's rest and the longest backoff included, goes on no more. */
const PATIENCE: Patience = { standstill: milliseconds(90_000), most: milliseconds(300_000) };
const LOOK_EVERY = 500;

export async function runScenario(options: RunOptions): Promise<ChaosResult> {
  const { scenario, ground, seed, tell } = options;
  const begun = performance.now();
  const promises = shippedPromises();
  const { target } = promises['documents-processed'];
  tell(`${scenario.name} on ${ground.database}, seed ${seed}: ${scenario.faults}`);
  tell('must hold:');
  for (const sentence of statement(scenario.holds, target)) tell(`  ${sentence}`);
  const run = `chaos-${scenario.name}-${seed}-${Date.now()}`;
  const stage = openStage(
    ground,
    run,
    seed,
    options.times?.pace ?? scenario.pace ?? { ours: 2, neighbours: 0.3 },
    options.signal,
  );
  const count = await beginCounts(stage, promises);
  let load = loadavg()[0] ?? 0;
  const times = await perform(stage, options);
  load = Math.max(load, loadavg()[0] ?? 0);
  const { rows, ...sides } = await settle(stage);
  const pages = await pagesSince(stage, scenario, times.faultBegan);
  const measured: Measured = {
    ...{ ...sides, ...times, ...pages, target, onTime: promises.onTime },
    repeated: await findRepeated(ground.stack.target.url, rows, stage.ours.sent),
    differences: differences({
      ...{ rows, entries: [...sides.ours, ...sides.neighbours], k6: undefined, alone: true },
      ...(await count(rows.filter(({ status }) => status === 'completed' || status === 'failed').length)),
    }),
    accidents: ground.stack.accidents,
  };
  load = Math.max(load, loadavg()[0] ?? 0);
  return {
    ...resultOf(scenario, measured, promises, performance.now() - begun),
    database: ground.database,
    seed,
    load,
  };
}

function resultOf({ name, faults, holds }: Scenario, measured: Measured, promises: Promises, ms: number) {
  const judgements = judge(holds, measured);
  const found = figures(measured);
  const promise = promises['documents-processed'];
  const { burnRate, budgetSpent } = judgePromise(
    promise,
    { good: found.processed, bad: found.failed },
    milliseconds(ms),
  );
  const recovered = timeToRecover(measured);
  return {
    ...{
      scenario: name,
      faults,
      judgements,
      pages: measured.pages,
      opened: measured.opened,
      differences: measured.differences,
    },
    verdict: judgements.every(({ kept }) => kept) ? ('kept' as const) : ('broken' as const),
    figures: { ...found, lost: lostIds(measured).length, duplicated: twiceIds(measured).length },
    recoverMs: Number.isFinite(recovered) ? recovered : null,
    budget: { burnRate, spent: budgetSpent },
    seconds: ms / 1_000,
  };
}

async function beginCounts({ ground, signal }: Stage, promises: Promises) {
  const { metrics, router } = ground.stack.target;
  const asking = { http, clock: systemClock, signal };
  const before = await readFinished(asking, metrics);
  const ledger = router && (await beginLedger({ ...asking, ...router }, promises['documents-processed'].id, true));
  return async (events: number) => ({
    counters: grown(before, await readFinished(asking, metrics)),
    ledger: await ledger?.grown(events),
  });
}

type Times = Pick<Measured, 'faultBegan' | 'faultEnded'>;

async function perform(stage: Stage, options: RunOptions): Promise<Times> {
  const { scenario, tell } = options;
  const { warm, lasts, after } = { ...scenario, ...options.times };
  const stop = new AbortController();
  const streams = [stage.ours.run(stop.signal), stage.neighbours.run(stop.signal)];
  try {
    await stage.wait(warm * 1_000);
    const faultBegan = Date.now();
    tell('the fault begins');
    await scenario.begin(stage);
    if (options.endsWhenPaged) await awaitPages(stage, scenario, faultBegan, lasts * 1_000);
    else await stage.wait(lasts * 1_000 - (Date.now() - faultBegan));
    await scenario.end(stage);
    const faultEnded = Date.now();
    tell(`it has ended after ${((faultEnded - faultBegan) / 1_000).toFixed(1)} s`);
    for (const member of stage.ground.stack.members) await member.up();
    await awaitPages(stage, scenario, faultBegan);
    await stage.wait(after * 1_000 - (Date.now() - faultEnded));
    if (options.times === undefined) await untilWell(stage, scenario, faultEnded);
    return { faultBegan, faultEnded };
  } finally {
    await stage.heal();
    stop.abort();
    await Promise.all(streams);
    tell('nothing more is sent; what is under way is followed');
  }
}

/** Of what is sent while all is well, some has come to its end before it is so old. */
const LATELY = 10_000;

/** Documents go on coming until one that came lately has ended: a recovery that nobody saw is none. */
async function untilWell(stage: Stage, { holds }: Scenario, faultEnded: number): Promise<void> {
  while (Date.now() - faultEnded <= holds.recoverWithin) {
    // What does not answer is not well.
    const rows = await listRows(documentsAt(stage), `${stage.run}-ours`, 'completed').catch(() => []);
    const done = new Set(rows.map(({ id }) => id));
    const since = Math.max(faultEnded, Date.now() - LATELY);
    if (stage.ours.sent.some(({ at: sentAt, id }) => id !== undefined && sentAt > since && done.has(id))) return;
    await stage.wait(LOOK_EVERY);
  }
}

/** @returns as soon as all of those that must be told are, or once they are too late. */
async function awaitPages(stage: Stage, scenario: Scenario, began: number, limit?: number): Promise<void> {
  const wanted = scenario.holds.toldBy ?? [];
  if (!scenario.holds.paged) return;
  const enough = (pages: Measured['pages']) =>
    Object.keys(pages).length > 0 && wanted.every((one) => pages[one] !== undefined);
  // What had to be sent again waits for its backoff.
  const most = limit ?? (wanted.length > 0 ? 2 : 1) * PAGE_WITHIN;
  while (Date.now() - began < most) {
    if (enough((await pagesSince(stage, scenario, began)).pages)) return;
    await stage.wait(LOOK_EVERY);
  }
}

async function pagesSince(stage: Stage, { page }: Scenario, began: number) {
  const found: Partial<Record<Channel, number>> = {};
  let opened: Opened[] = [];
  for (const channel of CHANNELS) {
    const critical = (await inbox(stage.ground.stack.simulators, channel)).filter(({ at, body }) => {
      const text = JSON.stringify(body);
      return Date.parse(at) >= began && /CRITICAL|"critical"/.test(text) && (!page || text.includes(page(stage)));
    });
    const [first] = critical;
    if (first) found[channel] = Date.parse(first.at) - began;
    if (channel === 'pagerduty')
      opened = critical.filter(({ effect }) => effect === 'opened').map((mail) => openedBy(mail, began));
  }
  return { pages: found, opened };
}

const event = z.looseObject({ payload: z.looseObject({ summary: z.string(), component: z.string().optional() }) });

function openedBy({ at, body }: Mail, began: number): Opened {
  const { component, summary } = event.parse(body).payload;
  return { service: component ?? '', summary, after: Date.parse(at) - began };
}

const documentsAt = ({ ground, signal }: Stage): DocumentsAt => ({
  ...{ http, clock: systemClock, signal, url: ground.stack.target.url, key: undefined },
});

async function settle(stage: Stage) {
  const { stack } = stage.ground;
  const at = documentsAt(stage);
  const follow = async (uploads: Uploads, name: string, side: DocumentsAt) => {
    const run = `${stage.run}-${name}`;
    await untilEnded(side, run, PATIENCE);
    const book = bookOf(uploads, stage.expected);
    const rows = await settleBook(side, run, book);
    return { rows, traced: traced(uploads, book) };
  };
  const ours = await follow(stage.ours, 'ours', at);
  const neighbours = await follow(stage.neighbours, 'neighbours', { ...at, key: stack.keys.get(NEIGHBOUR) });
  return { rows: [...ours.rows, ...neighbours.rows], ours: ours.traced, neighbours: neighbours.traced };
}

function bookOf({ sent }: Uploads, expected: ReadonlyMap<string, string>) {
  const book = makeBook();
  for (const { key, kind, at, id, sha256, cut, refusals } of sent) {
    if (key === null) continue;
    const usual = REJECTED_KINDS.includes(kind) ? 'rejected no_text' : 'completed';
    const said = { key, at };
    book.add({ kind: 'sent', ...said, file: kind, expected: expected.get(sha256) ?? usual, phase: '' });
    const last = refusals.at(-1);
    if (id !== undefined) book.add({ kind: 'accepted', ...said, id, tries: 1 + cut + refusals.length });
    else if (cut > 0 || last === undefined || last.status >= 500) book.add({ kind: 'unanswered', ...said, status: 0 });
    else book.add({ kind: 'refused', ...said, ...last });
  }
  return book;
}

function traced({ sent }: Uploads, book: ReturnType<typeof makeBook>): Traced[] {
  const accepted = new Map(sent.map(({ key, acceptedAt }) => [key, acceptedAt]));
  return [...book.entries.values()].map((entry) => {
    const from = accepted.get(entry.key);
    const isEnded = entry.ms !== undefined && from !== undefined;
    return { ...entry, endedAt: isEnded ? from + (entry.ms as Milliseconds) : undefined };
  });
}
