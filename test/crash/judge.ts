/**
 * The verdict on a crash test, from what was sent and what is left. Pure: every rule is a sentence that must hold, and a
 * failure names the documents for which it does not.
 */
import { MOVES, type Status } from '#worker/document.ts';
import { PLACEHOLDER, REJECTED_KINDS } from './documents.ts';
import type { Facts } from './evidence.ts';
import { judgeLedger } from './judge-ledger.ts';
import { by, type Failure, fail, group } from './rules.ts';

const FINISHED = ['completed', 'rejected', 'failed'];

export function judge(facts: Facts): Failure[] {
  return [
    ...acceptedIsThere(facts),
    ...oneDocumentForEachUpload(facts),
    ...allAtTheirEnd(facts),
    ...rightEnds(facts),
    ...countersAgree(facts),
    ...chunksAreThoseOfAnUndisturbedRun(facts),
    ...jobsRanOnce(facts),
    ...waysAreLegal(facts),
    ...endsWereTold(facts),
    ...nothingIsLeftBehind(facts),
    ...judgeLedger(facts),
  ];
}

function acceptedIsThere({ sent, stored, seen }: Facts): Failure[] {
  const rows = by(stored.documents, (row) => row.id);
  const listed = by(seen, (row) => row.id);
  const accepted = sent.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const never = sent.filter(({ key, id }) => key !== null && id === undefined).map(({ marker }) => marker);
  return [
    ...fail(
      'a document answered 202 is there',
      accepted.filter((id) => !rows.has(id)),
    ),
    ...fail(
      'a document answered 202 is seen through the API',
      accepted.filter((id) => !listed.has(id)),
    ),
    ...fail('an upload that is repeated is accepted in the end', never),
  ];
}

function oneDocumentForEachUpload({ sent, stored }: Facts): Failure[] {
  const bySha = group(stored.documents, (row) => row.sha256);
  const uploads = by(sent, (one) => one.sha256);
  const doubled = [...bySha.values()].filter((rows) => rows.length > 1).flatMap((rows) => rows.map(({ id }) => id));
  const strangers = stored.documents.filter(({ sha256 }) => !uploads.has(sha256)).map(({ id }) => id);
  const renamed = sent.flatMap(({ id, otherId }) => (otherId === undefined ? [] : [`${id} and ${otherId}`]));
  const refused = sent.flatMap(({ marker, refusals }) =>
    refusals
      .filter(({ status }) => status !== 429 && status !== 503)
      .map(({ status, code }) => `upload ${marker}: ${status} ${code}`),
  );
  return [
    ...fail('an upload, however often repeated, is one document', doubled),
    ...fail('repeats of an upload are answered with one id', renamed),
    ...fail('every document was uploaded', strangers),
    ...fail('an upload is taken, or the server says that it is not there now', refused),
  ];
}

function allAtTheirEnd({ stored, seen }: Facts): Failure[] {
  const rows = by(stored.documents, (row) => row.id);
  return [
    ...fail(
      'no document is stuck',
      stored.documents.filter(({ status }) => !FINISHED.includes(status)).map(({ id, status }) => `${id} (${status})`),
    ),
    ...fail(
      'the API and the database say the same of each document',
      seen.filter(({ id, status }) => rows.get(id)?.status !== status).map(({ id }) => id),
    ),
  ];
}

function rightEnds({ sent, stored, faults }: Facts): Failure[] {
  const uploads = by(sent, (one) => one.sha256);
  const wrong = stored.documents.filter(({ sha256, status, errorCode }) => {
    const kind = uploads.get(sha256)?.kind;
    if (kind === undefined || !FINISHED.includes(status)) return false;
    if (status === 'failed') return !faults || errorCode !== 'vendor_error';
    return REJECTED_KINDS.includes(kind) ? errorCode !== 'no_text' : status !== 'completed';
  });
  const told = wrong.map(({ id, status, errorCode }) => `${id} (${status} ${errorCode ?? ''})`);
  return fail('a crash changes no outcome: only what a vendor has refused is failed', told);
}

/** accepted = completed + rejected + failed, by four accounts. */
function countersAgree({ stored, seen, exported, sent }: Facts): Failure[] {
  const accounts = FINISHED.flatMap((outcome) => {
    const inRows = stored.documents.filter(({ status }) => status === outcome).length;
    const inApi = seen.filter(({ status }) => status === outcome).length;
    const inCounter = counterOf(stored, 'documents_finished_total', { outcome });
    const inMetrics = exported[outcome] ?? 0;
    const same = inRows === inApi && inRows === inCounter && inRows === inMetrics;
    const counts = `rows ${inRows}, API ${inApi}, counter ${inCounter}, /metrics ${inMetrics}`;
    return same ? [] : [`${outcome}: ${counts}`];
  });
  const moved = (from: string, to: string) =>
    stored.moves.filter((move) => move.from === from && move.to === to).length;
  const steps = (
    [
      ['parse', 'parsing', 'chunking'],
      ['chunk', 'chunking', 'embedding'],
      ['embed', 'embedding', 'storing'],
      ['store', 'storing', 'completed'],
    ] as const
  ).flatMap(([step, from, to]) => {
    const counted = counterOf(stored, 'document_step_attempts_total', { step, outcome: 'completed' });
    return counted === moved(from, to) ? [] : [`${step}: timeline ${moved(from, to)}, counter ${counted}`];
  });
  // An upload that was sent once and cut may have been accepted or not.
  const least = sent.filter(({ id }) => id !== undefined).length;
  const finished = stored.documents.filter(({ status }) => FINISHED.includes(status)).length;
  const balance = finished < least || finished > sent.length ? [`${least} accepted, ${finished} finished`] : [];
  return [
    ...fail('accepted = completed + rejected + failed', balance),
    ...fail('database, API, counters and metrics count the same ends', accounts),
    ...fail('a step is counted once for each document that passed it', steps),
  ];
}

function counterOf({ counters }: Facts['stored'], name: string, labels: Readonly<Record<string, string>>): number {
  const same = (text: string) => {
    const found = JSON.parse(text) as Record<string, string>;
    return Object.entries(labels).every(([key, value]) => found[key] === value);
  };
  return counters.filter((row) => row.name === name && same(row.labels)).reduce((sum, { value }) => sum + value, 0);
}

function chunksAreThoseOfAnUndisturbedRun({ stored, sent, chunks, expected }: Facts): Failure[] {
  const uploads = by(sent, (one) => one.sha256);
  const counts = by(stored.chunkCounts, (row) => row.documentId);
  const completed = stored.documents.filter(({ status }) => status === 'completed');
  const differing = completed.filter(({ id, sha256 }) => {
    const upload = uploads.get(sha256);
    const wanted = upload && expected.get(upload.kind);
    if (!upload || !wanted) return true;
    const own = (text: string) => text.replaceAll(PLACEHOLDER, upload.marker);
    const wish = wanted.map((one) => ({ ...one, text: own(one.text), heading: own(one.heading) }));
    return JSON.stringify(shape(chunks.get(id) ?? [])) !== JSON.stringify(shape(wish));
  });
  const uneven = completed.filter(({ id, chunks: said }) => {
    const row = counts.get(id);
    return row === undefined || row.rows !== said || row.least !== 0 || row.most !== row.rows - 1;
  });
  return [
    ...fail(
      'the chunks of a document are those of an undisturbed run',
      differing.map(({ id }) => id),
    ),
    ...fail(
      'each chunk is stored once, and none is missing',
      uneven.map(({ id }) => id),
    ),
  ];
}

const shape = (chunks: Facts['expected'] extends ReadonlyMap<string, infer C> ? C : never) =>
  chunks.map(({ ordinal, text, page, heading }) => [ordinal, text, page, heading]);

/** One job carries a document through all of its steps; a webhook has one of its own. */
function jobsRanOnce({ stored }: Facts): Failure[] {
  const jobs = group(stored.finishedJobs, (job) => job.documentId);
  const odd = stored.documents.filter(({ id, status, webhook }) => {
    if (!FINISHED.includes(status)) return false;
    const [own, told] = [false, true].map(
      (webhooks) => (jobs.get(id) ?? []).filter(({ queue }) => (queue === 'webhook') === webhooks).length,
    );
    return own !== 1 || told !== (webhook ? 1 : 0);
  });
  return [
    ...fail(
      'the job of a document is finished exactly once',
      odd.map(({ id }) => id),
    ),
    ...fail(
      'no job is left over',
      stored.leftJobs.map(({ documentId, queue, owner }) => `${documentId} (${queue}, ${owner ?? 'nobody'})`),
    ),
  ];
}

function waysAreLegal({ stored }: Facts): Failure[] {
  const illegal = [...group(stored.moves, (move) => move.documentId)].filter(([, moves]) => {
    const broken = moves.some(({ seq, from, to }, i) => {
      if (seq !== i + 1 || from !== (moves[i - 1]?.to ?? null)) return true;
      return from !== null && from !== to && !(MOVES[from as Status] as readonly string[]).includes(to);
    });
    const ends = moves.filter(({ from, to }) => from !== to && FINISHED.includes(to)).length;
    return broken || ends !== 1;
  });
  // A transition is one transaction: whatever the reaper finds was lost in the middle of one.
  const reaped = stored.moves.filter(({ because }) => because.includes('reaper')).map((move) => move.documentId);
  return [
    ...fail(
      'each way is legal, without a gap, and has one end',
      illegal.map(([id]) => id),
    ),
    ...fail('no document was ever without a job', reaped),
  ];
}

function endsWereTold({ stored, told }: Facts): Failure[] {
  const interrupted = group(
    stored.finishedJobs.filter(({ queue }) => queue === 'webhook'),
    (job) => job.documentId,
  );
  const wrong = stored.documents.filter(({ id, webhook, status }) => {
    if (!webhook || !FINISHED.includes(status)) return false;
    const times = told.get(id) ?? 0;
    const allowed = 1 + (interrupted.get(id) ?? []).reduce((sum, { interruptions }) => sum + interruptions, 0);
    return times < 1 || times > allowed;
  });
  const listed = wrong.map(({ id }) => `${id} (told ${told.get(id) ?? 0} times)`);
  return fail('a webhook is sent, and again only where its sender was killed', listed);
}

function nothingIsLeftBehind({ stored }: Facts): Failure[] {
  const left = stored.leftovers.map(({ documentId, what }) => `${documentId} (${what})`);
  const canaries = stored.canaries > 1 ? [`${stored.canaries} canaries`] : [];
  return [
    ...fail('a finished document leaves no drafts, bytes or pages behind', left),
    ...fail('canaries are cleared away', canaries),
  ];
}
