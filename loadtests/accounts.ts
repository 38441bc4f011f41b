/**
 * Two counts that must agree: the sender's own (a book), and the platform's, which is asked three times: the database by the
 * document API, the counters of /metrics, and the router's ledger. Every difference has its sentence and, where there are
 * some, the ids. Used by the load tests, and by whoever else sends documents and wants to know what became of them.
 *
 * Pure. The worst difference stands first: a document that was accepted and that nobody knows any more.
 */
import type { Counts } from '#slo/objective.ts';
import { type Entry, isEnd, isOpen, isUnexpected, tallyOf } from './book.ts';

/** A document as the database has it. */
export type Row = {
  readonly id: string;
  /** The sender's key, which is kept as its metadata; empty where it has none. */
  readonly key: string;
  readonly status: string;
  /** Why it was rejected or failed; empty otherwise. */
  readonly code: string;
  /** Milliseconds from accepted to ended; undefined before that. */
  readonly ms: number | undefined;
};

export type Finished = Readonly<Record<'completed' | 'rejected' | 'failed', number>>;

export type Accounts = {
  readonly entries: readonly Entry[];
  readonly rows: readonly Row[];
  /** k6's own counters, by name. Undefined where k6 did not send, or was stopped between two counts. */
  readonly k6: Readonly<Record<string, number>> | undefined;
  /** Growth of documents_finished_total. Undefined: not asked. */
  readonly counters: Finished | undefined;
  /** What the ledger counted of documents-processed meanwhile. */
  readonly ledger: Counts | undefined;
  /** Does nobody else send? Then counters and ledger have grown by just so much, else by at least so much. */
  readonly alone: boolean;
};

export type Difference = {
  readonly kind: (typeof KINDS)[number];
  readonly says: string;
  /** Of documents; of uploads that nobody answered, their keys. */
  readonly ids: readonly string[];
};
/** From the worst on. */
const KINDS = ['lost', 'twice', 'stranger', 'unfinished', 'disagree', 'unexpected', 'k6', 'counter', 'ledger'] as const;

export function differences(accounts: Accounts): Difference[] {
  const { entries, rows } = accounts;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const accepted = entries.filter(({ id }) => id !== '');
  const found: Difference[] = [];
  const tell = (kind: Difference['kind'], says: string, ids: readonly string[]) => {
    if (ids.length > 0) found.push({ kind, says, ids });
  };
  tell('lost', 'accepted with 202, and not in the database', idsOf(accepted.filter(({ id }) => !byId.has(id))));
  tell('lost', 'in the database, and the API said 404', idsOf(accepted.filter((one) => isHidden(one, byId))));
  tell('twice', 'of one upload, which has another document too', idsOf(doubles(rows)));
  tell('stranger', 'in the database, and no upload of this run was answered with it', idsOf(strangers(entries, rows)));
  tell('unfinished', 'accepted, and not at an end in the time it was given', idsOf(rows.filter(isUnfinished)));
  tell(
    'disagree',
    'the sender saw another end than the database has',
    accepted
      .filter((one) => hasOtherEnd(one, byId))
      .map((one) => `${one.id}: ${one.outcome}, ${byId.get(one.id)?.status}`),
  );
  tell(
    'unexpected',
    'ended otherwise than such a document must',
    entries
      .filter(isUnexpected)
      .map((one) => `${one.id || one.key}: ${one.file} ${one.outcome} ${one.code}, expected ${one.expected}`),
  );
  return [...found, ...ofK6(accounts), ...ofCounters(accounts), ...ofLedger(accounts)];
}

const idsOf = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id);

const isHidden = ({ id, outcome }: Entry, byId: ReadonlyMap<string, Row>): boolean =>
  outcome === 'missing' && byId.has(id);

function doubles(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter(({ key }) => {
    const again = key !== '' && seen.has(key);
    seen.add(key);
    return again;
  });
}

/** An upload whose answer was lost may have a document all the same; one that was refused may not. */
function strangers(entries: readonly Entry[], rows: readonly Row[]): Row[] {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const accepted = new Set(entries.map(({ id }) => id));
  return rows.filter(({ id, key }) => {
    const entry = byKey.get(key);
    if (accepted.has(id)) return false;
    return entry === undefined || entry.outcome === 'refused' || entry.id !== '';
  });
}

/** Whether or not its upload was answered. */
const isUnfinished = ({ status }: Row): boolean => !isEnd(status) && status !== 'erased';

/** The entries for whoever judges the service: what an upload without an answer has become after all is the database's to say. */
export function foundAfterAll({ entries, rows }: Accounts): Entry[] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  return entries.map((entry): Entry => {
    const row = entry.outcome === 'unanswered' || entry.outcome === 'sent' ? byKey.get(entry.key) : undefined;
    if (row === undefined) return entry;
    const { id, status, code, ms } = row;
    return { ...entry, id, code, ms, outcome: isEnd(status) ? status : 'left', seenBy: 'settlement' };
  });
}

function hasOtherEnd(entry: Entry, byId: ReadonlyMap<string, Row>): boolean {
  const row = byId.get(entry.id);
  if (row === undefined || isOpen(entry) || entry.outcome === 'missing') return false;
  return row.status !== entry.outcome || (entry.outcome === 'rejected' && row.code !== entry.code);
}

/** What k6 counted against what it wrote down: a line that was lost is a document that nobody looks for. */
function ofK6({ k6, entries }: Accounts): Difference[] {
  if (k6 === undefined) return [];
  const own = entries.map((entry) => (entry.seenBy === 'settlement' ? { ...entry, outcome: 'left' as const } : entry));
  const { refused, unanswered, missing, completed, rejected, failed } = tallyOf(own);
  const accepted = own.filter(({ id }) => id !== '').length;
  const written = { sent: own.length, accepted, refused, unanswered, missing, completed, rejected, failed };
  return Object.entries(written).flatMap(([name, count]) => {
    const counted = k6[`documents_${name}`] ?? 0;
    return counted === count
      ? []
      : [{ kind: 'k6', says: `k6 counted ${counted} ${name}, and told of ${count}`, ids: [] }];
  });
}

function ofCounters({ counters, rows, alone }: Accounts): Difference[] {
  if (counters === undefined) return [];
  return (['completed', 'rejected', 'failed'] as const).flatMap((status) => {
    const count = rows.filter((row) => row.status === status).length;
    const grown = counters[status];
    if (agrees(grown, count, alone)) return [];
    const says = `documents_finished_total{outcome="${status}"} grew by ${grown}, the database has ${count}`;
    return [{ kind: 'counter', says, ids: [] }];
  });
}

/** Rejected documents are no events of the objective. */
function ofLedger({ ledger, rows, alone }: Accounts): Difference[] {
  if (ledger === undefined) return [];
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  const [completed, failed] = [count('completed'), count('failed')];
  if (agrees(ledger.good, completed, alone) && agrees(ledger.bad, failed, alone)) return [];
  const says = `the ledger of documents-processed counted ${ledger.good} good and ${ledger.bad} bad, the database has ${completed} completed and ${failed} failed`;
  return [{ kind: 'ledger', says, ids: [] }];
}

const agrees = (theirs: number, ours: number, alone: boolean): boolean => (alone ? theirs === ours : theirs >= ours);
