/** What the steps produce: pages, drafts of chunks with their vectors, and the chunks that a search finds. */
import { type Queryable, queryWithValues, vectorParam } from '#kernel/database.ts';

export type ParseRow = { readonly pages: readonly string[]; readonly parser: string };
export type Draft = {
  readonly ordinal: number;
  readonly text: string;
  readonly tokens: number;
  readonly page: number;
  readonly heading: string;
};

export async function putParse(q: Queryable, documentId: string, parse: ParseRow): Promise<void> {
  await q.query(
    `insert into worker.parses (document_id, pages, parser) values ($1, $2, $3)
     on conflict (document_id) do update set pages = excluded.pages, parser = excluded.parser`,
    [documentId, JSON.stringify(parse.pages), parse.parser],
  );
}

export async function readParse(q: Queryable, documentId: string): Promise<ParseRow | undefined> {
  const rows = await q.query<ParseRow>('select pages, parser from worker.parses where document_id = $1', [documentId]);
  return rows[0];
}

/** Rows a statement: keeps one statement's parameters small, and its time under a fifth of a second. */
const DRAFTS_A_STATEMENT = 200;

/** A draft whose text is there already keeps its vector: a document that is tried again pays for none twice. */
export async function putDrafts(
  q: Queryable,
  documentId: string,
  drafts: readonly Draft[],
  model: string,
): Promise<void> {
  // What an earlier try may have stored was cut from the same pages, perhaps by an older release.
  await q.query('delete from worker.chunks where document_id = $1', [documentId]);
  await q.query('delete from worker.drafts where document_id = $1 and ordinal >= $2', [documentId, drafts.length]);
  for (let from = 0; from < drafts.length; from += DRAFTS_A_STATEMENT) {
    const some = drafts.slice(from, from + DRAFTS_A_STATEMENT);
    await q.query(
      `insert into worker.drafts (document_id, ordinal, text, tokens, page, heading)
       select $1, * from unnest($2::int[], $3::text[], $4::int[], $5::int[], $6::text[])
       on conflict (document_id, ordinal) do update set
         text = excluded.text, tokens = excluded.tokens, page = excluded.page, heading = excluded.heading,
         embedding = case when drafts.text = excluded.text and drafts.model = $7 then drafts.embedding end`,
      [
        documentId,
        some.map((draft) => draft.ordinal),
        some.map((draft) => draft.text),
        some.map((draft) => draft.tokens),
        some.map((draft) => draft.page),
        some.map((draft) => draft.heading),
        model,
      ],
    );
  }
}

export type Unembedded = { readonly ordinal: number; readonly text: string; readonly tokens: number };

export async function readUnembedded(q: Queryable, documentId: string): Promise<Unembedded[]> {
  return await q.query<Unembedded>(
    `select ordinal, text, tokens from worker.drafts where document_id = $1 and embedding is null order by ordinal`,
    [documentId],
  );
}

export async function putEmbeddings(
  q: Queryable,
  documentId: string,
  vectors: readonly { readonly ordinal: number; readonly vector: Float32Array }[],
  model: string,
): Promise<void> {
  for (let from = 0; from < vectors.length; from += STORE_BATCH) {
    const some = vectors.slice(from, from + STORE_BATCH);
    const rows = some.map((_, i) => `($${3 + i * 2}::int, $${4 + i * 2}::vector)`).join(', ');
    await q.query(
      `update worker.drafts d set embedding = v.embedding, model = $2 from (values ${rows}) as v (ordinal, embedding)
       where d.document_id = $1 and d.ordinal = v.ordinal`,
      [documentId, model, ...some.flatMap(({ ordinal, vector }) => [ordinal, vectorParam(vector)])],
    );
  }
}

/** Takes the vectors of the same text from another document. @returns how many. */
export async function copyEmbeddings(q: Queryable, documentId: string, from: string, model: string): Promise<number> {
  const rows = await q.query(
    `update worker.drafts d set embedding = c.embedding, model = $3 from worker.chunks c
     where d.document_id = $1 and d.embedding is null and c.document_id = $2 and c.ordinal = d.ordinal and c.text = d.text
     returning d.ordinal`,
    [documentId, from, model],
  );
  return rows.length;
}

/** An insert into the HNSW index is the dearest thing the store step does: this many stay under 200 ms. */
export const STORE_BATCH = 25;

/** The same rows however often it runs. @returns how many drafts were in the range. */
export async function storeChunks(
  q: Queryable,
  document: { readonly id: string; readonly tenant: string },
  from: number,
): Promise<number> {
  const rows = await q.query(
    `insert into worker.chunks (document_id, ordinal, tenant, text, tokens, page, heading, embedding)
     select document_id, ordinal, $2, text, tokens, page, heading, embedding from worker.drafts
     where document_id = $1 and ordinal >= $3 and ordinal < $4 and embedding is not null
     on conflict (document_id, ordinal) do nothing
     returning ordinal`,
    [document.id, document.tenant, from, from + STORE_BATCH],
  );
  return rows.length;
}

export async function countStored(q: Queryable, documentId: string): Promise<number> {
  const rows = await q.query<{ n: number }>('select count(*) as n from worker.chunks where document_id = $1', [
    documentId,
  ]);
  return rows[0]?.n ?? 0;
}

export async function dropDrafts(q: Queryable, documentId: string): Promise<void> {
  await q.query('delete from worker.drafts where document_id = $1', [documentId]);
}

export async function dropParse(q: Queryable, documentId: string): Promise<void> {
  await q.query('delete from worker.parses where document_id = $1', [documentId]);
}

export async function dropResults(q: Queryable, documentId: string): Promise<void> {
  await dropDrafts(q, documentId);
  await dropParse(q, documentId);
  await q.query('delete from worker.chunks where document_id = $1', [documentId]);
}

export type ChunkRow = Draft;

export async function listChunks(q: Queryable, documentId: string, after: number, limit: number): Promise<ChunkRow[]> {
  return await q.query<ChunkRow>(
    `select ordinal, text, tokens, page, heading from worker.chunks
     where document_id = $1 and ordinal > $2 order by ordinal limit $3`,
    [documentId, after, limit],
  );
}

export type Hit = {
  readonly documentId: string;
  readonly ordinal: number;
  readonly score: number;
  readonly text: string;
};

/**
 * An iterative scan goes on until enough rows pass the filter: a plain HNSW scan would find the nearest of all tenants and
 * then drop most of them. A page of an index costs what it costs on a disk without a head: as the default has it, 20,000
 * vectors would rather be read and compared one by one.
 */
const NEAREST_SETTINGS = `select set_config('hnsw.iterative_scan', 'strict_order', true),
  set_config('random_page_cost', '1.1', true)`;

/**
 * The nearest chunks of one tenant, in a transaction. The score is the cosine similarity. Whether the tenant's few chunks
 * are compared one by one or the index of all is asked hangs on the tenant and the limit.
 */
export async function nearestChunks(q: Queryable, tenant: string, vector: Float32Array, limit: number): Promise<Hit[]> {
  const settings = q.query(NEAREST_SETTINGS);
  const hits = queryWithValues<Hit>(
    q,
    `select document_id as "documentId", ordinal, 1 - (embedding <=> $2::vector) as score, text
     from worker.chunks c where tenant = $1
       and exists (select 1 from worker.documents d where d.id = c.document_id and d.status = 'completed')
     order by embedding <=> $2::vector limit $3`,
    [tenant, vectorParam(vector), limit],
  );
  // All together, so that none of them fails unheard.
  return (await Promise.all([hits, settings]))[0];
}
