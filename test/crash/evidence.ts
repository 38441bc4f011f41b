/** What is left when all is over: in the database, at the vendors, and as a client sees it through the API. */
import type { Db } from '#kernel/database.ts';
import { call } from '#test/kit/client.ts';
import type { Sent } from './uploads.ts';
import type { VendorStats } from './vendors.ts';

export type Chunk = {
  readonly ordinal: number;
  readonly text: string;
  readonly page: number;
  readonly heading: string;
};

/** A document as the API lists it. */
export type Seen = {
  readonly id: string;
  readonly sha256: string;
  readonly status: string;
  readonly chunks: number | null;
  readonly costUsd: number;
  readonly error: { readonly code: string } | null;
};

export type StoredDocument = {
  readonly id: string;
  readonly sha256: string;
  readonly status: string;
  readonly chunks: number | null;
  readonly costUsd: number;
  readonly webhook: boolean;
  readonly errorCode: string | null;
  readonly seconds: number;
};
export type StoredCall = {
  readonly documentId: string | null;
  readonly canary: boolean;
  readonly step: string;
  readonly outcome: string;
  readonly wasted: boolean;
  readonly costUsd: number;
};
export type StoredMove = {
  readonly documentId: string;
  readonly seq: number;
  readonly from: string | null;
  readonly to: string;
  readonly because: string;
};
export type FinishedJob = { readonly documentId: string; readonly queue: string; readonly interruptions: number };
export type LeftJob = { readonly documentId: string | null; readonly queue: string; readonly owner: string | null };
export type Counter = { readonly name: string; readonly labels: string; readonly value: number };
export type ChunkCount = {
  readonly documentId: string;
  readonly rows: number;
  readonly least: number;
  readonly most: number;
};
/** Rows that belong to a document at its end and should be gone. */
export type Leftover = { readonly documentId: string; readonly what: string };

export type Stored = {
  readonly documents: readonly StoredDocument[];
  readonly canaries: number;
  readonly calls: readonly StoredCall[];
  readonly moves: readonly StoredMove[];
  readonly finishedJobs: readonly FinishedJob[];
  readonly leftJobs: readonly LeftJob[];
  readonly counters: readonly Counter[];
  readonly chunkCounts: readonly ChunkCount[];
  readonly leftovers: readonly Leftover[];
};

export type Facts = {
  readonly sent: readonly Sent[];
  readonly seen: readonly Seen[];
  readonly chunks: ReadonlyMap<string, readonly Chunk[]>;
  /** Of each kind, from an undisturbed run, with the placeholder for the number. */
  readonly expected: ReadonlyMap<string, readonly Chunk[]>;
  /** Which documents' ends were told by webhook, and how often. */
  readonly told: ReadonlyMap<string, number>;
  readonly stored: Stored;
  readonly vendors: VendorStats;
  /** documents_finished_total as /metrics gave it, all workers together. */
  readonly exported: Readonly<Record<string, number>>;
  /** LlamaParse was made to fail now and then, so documents may end `failed`. */
  readonly faults: boolean;
};

/** Canaries are nobody's documents; their calls cost all the same. */
export async function readStored(db: Db): Promise<Stored> {
  const canaries = await db.query('select 1 from worker.documents where canary');
  return {
    canaries: canaries.length,
    documents: await db.query<StoredDocument>(
      `select id, sha256, status, chunks, cost_usd as "costUsd", webhook_url is not null as webhook,
         error_code as "errorCode",
         extract(epoch from coalesce(finished_at, updated_at) - accepted_at)::float8 as seconds
       from worker.documents where not canary order by id`,
    ),
    calls: await db.query<StoredCall>(
      `select document_id as "documentId", tenant = 'burnline-canary' as canary, step, outcome, wasted,
         cost_usd as "costUsd" from worker.vendor_calls`,
    ),
    moves: await db.query<StoredMove>(
      `select t.document_id as "documentId", seq, from_status as "from", to_status as "to", because
       from worker.timeline t join worker.documents d on d.id = t.document_id where not canary
       order by document_id, seq`,
    ),
    finishedJobs: await db.query<FinishedJob>(
      `select f.document_id as "documentId", queue, interruptions from worker.finished_jobs f
       join worker.documents d on d.id = f.document_id where not canary`,
    ),
    leftJobs: await db.query<LeftJob>(
      `select j.document_id as "documentId", queue, owner from worker.jobs j
       left join worker.documents d on d.id = j.document_id where queue <> 'canary' and coalesce(not canary, true)`,
    ),
    counters: await db.query<Counter>(
      'select name, labels, sum(value)::float8 as value from worker.counters group by name, labels',
    ),
    chunkCounts: await db.query<ChunkCount>(
      `select document_id as "documentId", count(*) as rows, min(ordinal) as least, max(ordinal) as most
       from worker.chunks c group by document_id`,
    ),
    leftovers: await readLeftovers(db),
  };
}

async function readLeftovers(db: Db): Promise<Leftover[]> {
  const ended = `join worker.documents d on d.id = document_id where not canary and status in ('completed', 'rejected')`;
  return await db.query<Leftover>(
    `select distinct document_id as "documentId", 'drafts' as what from worker.drafts ${ended} and status = 'completed'
     union select distinct document_id, 'contents' from worker.contents ${ended} and status = 'completed'
     union select document_id, 'parse' from worker.parses ${ended} and status = 'completed'
     union select distinct document_id, 'chunks' from worker.chunks ${ended} and status = 'rejected'`,
  );
}

const PAGE = 200;

export async function listSeen(api: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await call<{ items: Seen[]; nextCursor: string | null }>(
      `${api}/v1/documents?limit=${PAGE}${cursor}`,
    );
    seen.push(...body.items);
    if (body.nextCursor === null) return seen;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

export async function readChunks(api: string, id: string): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await call<{ items: Chunk[]; nextCursor: string | null }>(
      `${api}/v1/documents/${id}/chunks?limit=500${cursor}`,
    );
    chunks.push(...body.items);
    if (body.nextCursor === null) return chunks;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

/** Sums documents_finished_total over the processes that export it. */
export async function readExported(urls: readonly string[]): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const url of urls) {
    const { body } = await call<string>(url);
    for (const [, labels = '', value] of body.matchAll(/^documents_finished_total\{([^}]*)\} (\S+)/gm)) {
      const outcome = /outcome="(\w+)"/.exec(labels)?.[1] ?? '';
      sums[outcome] = (sums[outcome] ?? 0) + Number(value);
    }
  }
  return sums;
}
