/** The part of the verdict that is about money: every call to a vendor is in the ledger, and few are made twice. */
import { STEP_OF, type UnfinishedStatus } from '#worker/document.ts';
import type { Facts, StoredCall } from './evidence.ts';
import { type Failure, fail, group } from './rules.ts';

/** The steps that call a vendor that bills. */
const PAID = ['parse', 'embed'] as const;
const CENT_FRACTION = 1e-9;

export function judgeLedger(facts: Facts): Failure[] {
  return [...uploadsAreWritten(facts), ...embedsAreWritten(facts), ...repeatsArePaidByKills(facts), ...costs(facts)];
}

const withOutcome = (calls: readonly StoredCall[], ...outcomes: string[]) =>
  calls.filter(({ outcome }) => outcomes.includes(outcome));

/** What LlamaParse took of each document, against the rows: an answered call has one, a cut one may or may not have arrived. */
function uploadsAreWritten({ stored, vendors }: Facts): Failure[] {
  const calls = group(
    stored.calls.filter(({ step }) => step === 'parse'),
    ({ documentId }) => documentId ?? '',
  );
  const wrong = stored.documents.flatMap(({ id, sha256 }) => {
    const rows = calls.get(id) ?? [];
    const taken = vendors.uploads[sha256] ?? 0;
    const answered = withOutcome(rows, 'completed').length;
    const unclear = withOutcome(rows, 'interrupted').length + rows.filter(isFailedAndPaid).length;
    return answered <= taken && taken <= answered + unclear
      ? []
      : [`${id} (${taken} taken, ${answered} answered, ${unclear} cut off)`];
  });
  const known = new Set(stored.documents.map(({ sha256 }) => sha256));
  const total = Object.entries(vendors.uploads).filter(([sha256]) => known.has(sha256)).length;
  const uploaded = stored.documents.filter(({ sha256 }) => (vendors.uploads[sha256] ?? 0) > 0).length;
  return [
    ...fail('each upload that the vendor took is in the ledger, and each answered row was taken', wrong),
    ...fail(
      'each file at the vendor is one document',
      total === uploaded ? [] : [`${total} files, ${uploaded} documents`],
    ),
  ];
}

const isFailedAndPaid = ({ outcome, wasted }: StoredCall): boolean => outcome === 'failed' && wasted;

/** The vendor does not tell by document, so by the sum, canaries included. */
function embedsAreWritten({ stored, vendors }: Facts): Failure[] {
  const rows = stored.calls.filter(({ step }) => step === 'embed');
  const answered = withOutcome(rows, 'completed').length;
  const unclear = withOutcome(rows, 'interrupted').length + rows.filter(isFailedAndPaid).length;
  const { embeds } = vendors;
  const right = answered <= embeds && embeds <= answered + unclear;
  return fail(
    'each request for embeddings is in the ledger',
    right ? [] : [`${embeds} made, ${answered} answered, ${unclear} cut off`],
  );
}

/** A kill repeats at most the one call that a job in hand had open, and that call stands in the ledger as wasted. */
function repeatsArePaidByKills({ stored, vendors }: Facts): Failure[] {
  const calls = group(stored.calls, ({ documentId, step }) => `${documentId} ${step}`);
  const takeovers = group(
    stored.moves.filter(({ because }) => because.startsWith('taken over')),
    ({ documentId, to }) => `${documentId} ${STEP_OF[to as UnfinishedStatus]}`,
  );
  const at = (id: string, step: string) => calls.get(`${id} ${step}`) ?? [];
  const open = stored.calls
    .filter(({ outcome }) => outcome === 'started')
    .map(({ documentId, step }) => `${documentId} (${step})`);
  const tooMany = stored.documents.flatMap(({ id, sha256 }) =>
    PAID.flatMap((step) => {
      const cut = withOutcome(at(id, step), 'interrupted').length;
      const interruptions = takeovers.get(`${id} ${step}`)?.length ?? 0;
      return cut <= interruptions
        ? []
        : [`${id} (${step}: ${cut} calls cut off in ${interruptions} kills; ${sha256.slice(0, 8)})`];
    }),
  );
  const unmarked = stored.calls.filter(({ outcome, wasted }) => outcome === 'interrupted' && !wasted);
  const paidTwice = stored.documents.flatMap(({ id, sha256, status }) => {
    const good = at(id, 'parse').filter(({ outcome, wasted }) => outcome === 'completed' && !wasted).length;
    const wrong = status === 'failed' ? good > 1 : good !== ((vendors.uploads[sha256] ?? 0) > 0 ? 1 : 0);
    return wrong ? [`${id} (${good} uploads counted as useful)`] : [];
  });
  return [
    ...fail('no call is open when nobody works', open),
    ...fail('a kill repeats at most one call of a document', tooMany),
    ...fail(
      'a call that was cut off is marked as wasted',
      unmarked.map(({ documentId }) => String(documentId)),
    ),
    ...fail('one upload of each document was useful, all others are wasted', paidTwice),
  ];
}

function costs({ stored }: Facts): Failure[] {
  const calls = group(stored.calls, ({ documentId }) => documentId ?? '');
  const wrong = stored.documents.flatMap(({ id, costUsd }) => {
    const sum = (calls.get(id) ?? []).reduce((total, call) => total + call.costUsd, 0);
    return Math.abs(sum - costUsd) < CENT_FRACTION ? [] : [`${id} (says ${costUsd}, ledger ${sum})`];
  });
  return fail('a document costs what the ledger says', wrong);
}
