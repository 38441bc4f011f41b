/**
 * parse: bytes → pages of Markdown, by LlamaParse (the default for every type) or by the local parsers where configured.
 *
 * LlamaParse takes its time, so the step runs several times: the first uploads and stores the vendor's job id, the next
 * ones look, first when it is usually done and then further and further apart, until there is a result. A crash between
 * upload and commit repeats the upload, and the ledger shows the lost one as wasted.
 */
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { makeIsolatedParser } from '#worker/parsers/isolated.ts';
import { REJECTIONS, type RejectionCode } from '#worker/parsers/rejections.ts';
import { type Format, sniff } from '#worker/parsers/sniff.ts';
import { CREDITS_PER_PAGE, creditsCost, type Tier } from '#worker/prices.ts';
import { readContent } from '#worker/rows/contents.ts';
import { findSame } from '#worker/rows/documents.ts';
import { putParse, readParse } from '#worker/rows/results.ts';
import { settleCall, type VendorJob, wasteCall } from '#worker/rows/vendor-calls.ts';
import { countWaste, type Gateway } from '#worker/vendors/gateway.ts';
import type { LlamaParse } from '#worker/vendors/llamaparse.ts';
import { counted } from '#worker/words.ts';
import { type FirstLook, makeFirstLook } from './first-look.ts';
import { refused, type StepHandler, type StepInput, type StepResult } from './step.ts';

export type ParseOptions = {
  readonly db: Db;
  readonly gateway: Gateway;
  readonly llamaparse: LlamaParse;
  readonly tier: Tier;
  readonly local: Pick<ReturnType<typeof makeIsolatedParser>, 'parse'>;
  /** The formats that are parsed here instead of at the vendor. */
  readonly localFormats: ReadonlySet<Format>;
  readonly cache: boolean;
  /** What makes the vectors: a document parsed for another model must not lend them. */
  readonly embedding: string;
  readonly shared: SharedClock;
  readonly telemetry: Telemetry;
};

type Vendor = ParseOptions & { readonly firstLook: FirstLook };

/** What the job carries between its runs. */
type Payload = {
  readonly vendorJob?: string;
  readonly submittedAt?: Milliseconds;
  readonly settings?: string;
  /** After which the first look was planned; no longer there when it has been. */
  readonly firstLook?: Milliseconds;
};

const LOOK_LEAST = milliseconds(250);
const LOOK_MOST = milliseconds(5_000);
/** Look again after this share of the time that the job has already taken. */
const LOOK_GROWTH = 0.25;
/** A vendor job that takes longer is given up, and the next attempt uploads again. */
const VENDOR_JOB_LIMIT = milliseconds(20 * 60_000);
/** The price of an upload before anybody knows its pages: one page, since it has at least that. */
const EXPECTED_PAGES = 1;

/** What the result of a document depends on beside its bytes. The format is among it, since a name may decide it. */
const cacheKey = ({ embedding }: ParseOptions, parser: string, format: Format): string =>
  `${parser}, ${format}, ${embedding}`;

export const LOCAL_PARSER = 'local/1';

export function makeParseStep(given: ParseOptions): StepHandler {
  const options = { ...given, firstLook: makeFirstLook({ least: LOOK_LEAST, most: LOOK_MOST }) };
  return async (input) => {
    const { document } = input;
    const payload = input.claim.payload as Payload;
    if (payload.vendorJob !== undefined) return await look(options, input, payload.vendorJob, payload);
    if (await readParse(options.db, document.id)) return { outcome: { kind: 'done', because: 'was parsed before' } };

    const bytes = await readContent(options.db, document);
    const sniffed = sniff(bytes, document.filename);
    if (sniffed.kind === 'rejected') return rejection(sniffed.code, sniffed.because);
    const here = options.localFormats.has(sniffed.format);
    const settings = cacheKey(options, here ? LOCAL_PARSER : options.llamaparse.settings, sniffed.format);
    const cached = await fromCache(options, input, settings);
    if (cached) return cached;
    if (here) return await parseHere(options, input, bytes, sniffed.format, settings);
    return await submit(options, input, bytes, settings);
  };
}

/** @param because what was found in this very file, in a sentence, where that says more than the code. */
const rejection = (code: RejectionCode, because = ''): StepResult => {
  const { message, remedy } = REJECTIONS[code];
  const found = because === '' ? message : because.replace(/[^.!?]$/, '$&.');
  return { outcome: { kind: 'rejected', code, message: `${found} ${remedy}` } };
};

async function fromCache(options: ParseOptions, input: StepInput, settings: string): Promise<StepResult | undefined> {
  const { document } = input;
  if (!options.cache || document.noCache) return undefined;
  const same = await options.db.tx((q) => findSame(q, document, settings));
  const found = same === undefined ? undefined : await readParse(options.db, same);
  options.telemetry.count('step_cache_total', { step: 'parse', result: found ? 'hit' : 'miss' });
  if (!found) return undefined;
  return parsed(document.id, found.pages, settings, 'the same bytes were parsed before', { sameAs: same });
}

async function parseHere(
  options: ParseOptions,
  { document, signal }: StepInput,
  bytes: Uint8Array,
  format: Format,
  settings: string,
): Promise<StepResult> {
  const result = await options.local.parse(bytes, format, signal);
  if (result.kind === 'rejected') return rejection(result.code, result.because);
  options.telemetry.count('vendor_pages_total', { vendor: 'local' }, result.pages.length);
  return parsed(document.id, result.pages, settings, `parsed here: ${counted(result.pages.length, 'page')}`);
}

async function submit(options: Vendor, input: StepInput, bytes: Uint8Array, settings: string): Promise<StepResult> {
  const { document, save, signal } = input;
  const { gateway, llamaparse, tier } = options;
  const spend = {
    documentId: document.id,
    tenant: document.tenant,
    step: 'parse',
    operation: 'upload',
    tokens: 0,
    expectedCost: creditsCost(EXPECTED_PAGES * CREDITS_PER_PAGE[tier]),
  };
  const upload = { bytes, filename: document.filename, noCache: document.noCache };
  const called = await gateway.spend(spend, save, signal, (limit) => llamaparse.submit(upload, limit));
  if (called.kind === 'refused') return refused(called);
  const { jobId } = called.value;
  const wait = options.firstLook.wait();
  return {
    outcome: { kind: 'pending', wait },
    payload: { vendorJob: jobId, submittedAt: options.shared.now(), settings, firstLook: wait } satisfies Payload,
    write: (q) => called.record(q, { vendorJob: jobId, cost: spend.expectedCost }),
  };
}

async function look(
  options: Vendor,
  { document, signal }: StepInput,
  vendorJob: string,
  { firstLook, ...payload }: Payload,
): Promise<StepResult> {
  const { gateway, llamaparse } = options;
  const { submittedAt = options.shared.now(), settings = '' } = payload;
  const called = await gateway.ask(signal, (limit) => llamaparse.look(vendorJob, limit));
  if (called.kind === 'refused') return refused(called);
  const result = called.value;
  const job = { documentId: document.id, vendorJob };
  const taken = milliseconds(options.shared.now() - submittedAt);
  if (firstLook !== undefined && result.kind !== 'unknown') {
    options.firstLook.learn({ planned: firstLook, taken, isOver: result.kind !== 'pending' });
  }
  switch (result.kind) {
    case 'pending': {
      if (taken > VENDOR_JOB_LIMIT)
        return startOver(options, job, 'vendor_timeout', 'LlamaParse did not finish its job');
      const wait = Math.min(LOOK_MOST, Math.max(LOOK_LEAST, taken * LOOK_GROWTH)) as Milliseconds;
      return { outcome: { kind: 'pending', wait }, payload };
    }
    case 'unknown':
      return startOver(options, job, 'vendor_job_lost', 'LlamaParse no longer knows the job');
    case 'failed': {
      const code = classify(result.message);
      if (code) return rejection(code);
      return startOver(
        options,
        job,
        'vendor_job_failed',
        `LlamaParse could not parse it: ${result.message.slice(0, 200)}`,
      );
    }
    case 'parsed': {
      const { pages } = result;
      const credits = result.credits ?? pages.length * CREDITS_PER_PAGE[options.tier];
      options.telemetry.count('vendor_pages_total', { vendor: 'llamaparse' }, pages.length);
      options.telemetry.count('vendor_credits_total', { vendor: 'llamaparse' }, credits);
      options.telemetry.count('document_cost_usd_total', { vendor: 'llamaparse' }, creditsCost(credits));
      const settle = (q: Queryable) => settleCall(q, job, { credits, cost: creditsCost(credits) });
      if (pages.every((page) => page.trim() === '')) return { ...rejection('no_text'), write: settle };
      const done = parsed(
        document.id,
        pages,
        settings,
        `parsed by LlamaParse: ${counted(pages.length, 'page')}, ${credits} credits`,
      );
      return {
        ...done,
        write: async (q) => {
          await settle(q);
          await done.write?.(q);
        },
      };
    }
    default:
      return result satisfies never;
  }
}

/** The next attempt uploads again: what this job cost was for nothing. */
function startOver({ telemetry }: ParseOptions, job: VendorJob, code: string, message: string): StepResult {
  return {
    outcome: { kind: 'fault', code, message, retryable: true },
    payload: {},
    write: async (q) => {
      for (const { cost } of await wasteCall(q, job)) countWaste(telemetry, 'llamaparse', cost);
    },
  };
}

function parsed(
  documentId: string,
  pages: readonly string[],
  settings: string,
  because: string,
  payload: object = {},
): StepResult {
  return {
    outcome: { kind: 'done', because },
    payload,
    facts: { pages: pages.length, settings },
    write: (q) => putParse(q, documentId, { pages: pages.map(storable), parser: settings }),
  };
}

/** Postgres can keep neither a zero byte nor half a surrogate pair; a vendor may send both. */
const storable = (text: string): string => text.replaceAll('\u0000', '').toWellFormed();

/** LlamaParse's codes for a job that failed through the document's own fault, and what we call each. */
const VENDOR_REJECTIONS: Readonly<Record<string, RejectionCode>> = {
  PDF_IS_PROTECTED: 'encrypted',
  PDF_IS_BROKEN: 'damaged',
  UNSUPPORTED_FILE_TYPE: 'unsupported',
  NO_DATA_FOUND_IN_FILE: 'empty',
  DOCUMENT_TOO_LARGE: 'too_large',
};

/**
 * A failed job is told as "CODE: sentence", or in a sentence alone: the document's own faults must not count as the
 * vendor's. What is not recognised is the vendor's fault, so that nothing of ours hides behind a rejection.
 */
export function classify(message: string): RejectionCode | undefined {
  const code = VENDOR_REJECTIONS[/^[A-Z_]+/.exec(message)?.[0] ?? ''];
  if (code) return code;
  if (/\bpassword|\bencrypted\b/i.test(message)) return 'encrypted';
  if (/unsupported (?:file|document|format)/i.test(message)) return 'unsupported';
  if (/\b(?:file|document) is (?:corrupt|damaged)/i.test(message)) return 'damaged';
  return undefined;
}
