/** What becomes of documents: each type, what must be rejected, the same upload twice, many at once, erasure. */
import { readFileSync } from 'node:fs';
import { BAD_SAMPLES, GOOD_SAMPLES, SAMPLES_FOLDER } from '#samples/catalogue.ts';
import {
  type Book,
  type Check,
  type End,
  field,
  finds,
  follow,
  JSON_TYPE,
  type Sent,
  upload,
  type Visit,
  word,
} from './visit.ts';

/** One of each type that is taken. */
const EACH_TYPE = ['invoice.pdf', 'minutes.docx', 'product-page.html', 'runbook.md', 'shift-handover.txt'] as const;

const sample = (folder: 'good' | 'bad', file: string): Uint8Array =>
  readFileSync(new URL(`${folder}/${file}`, SAMPLES_FOLDER));

/** Chunks and tokens are the parser's and its vendor's: only whether there are any is told. */
export const documents: Check = async (visit, book) => {
  const all = await sendAll(visit, EACH_TYPE, 'good');
  for (const { file, end, sent } of all) {
    tellEnd(book, file, sent, end);
    for (const name of ['filename', 'contentType', 'bytes', 'sha256'] as const) {
      book.fact(`${file}/${name}`, end.said === undefined ? 'none' : word(field(end.said, name)));
    }
    book.fact(`${file}/way`, wayOf(end));
    const chunks = end.said === undefined ? 0 : Number(field(end.said, 'chunks'));
    book.fact(`${file}/has chunks`, chunks > 0);
    const words = GOOD_SAMPLES.find((one) => one.file === file)?.words ?? '';
    book.fact(`${file}/is found`, await finds(visit, words, sent.id));
    if (sent.id !== undefined) {
      const said = await visit.ask({ path: `/v1/documents/${sent.id}/chunks?limit=1` });
      book.fact(`${file}/chunks are shown`, Array.isArray(field(said, 'items')) && said.status === 200);
    }
  }
};

export const rejections: Check = async (visit, book) => {
  const files = BAD_SAMPLES.map(({ file }) => file);
  for (const { file, end, sent } of await sendAll(visit, files, 'bad')) tellEnd(book, file, sent, end);
};

async function sendAll(visit: Visit, files: readonly string[], folder: 'good' | 'bad') {
  const sent = [];
  for (const file of files) sent.push({ file, sent: await upload(visit, { name: file, bytes: sample(folder, file) }) });
  const ended = [];
  for (const one of sent) ended.push({ ...one, end: await follow(visit, one.sent.id) });
  return ended;
}

function tellEnd(book: Book, file: string, { said, id }: Sent, { status, code }: End): void {
  book.fact(`${file}/accepted`, said.status);
  book.fact(`${file}/location`, id !== undefined && said.headers['location'] === `/v1/documents/${id}`);
  book.fact(`${file}/end`, status);
  book.fact(`${file}/code`, code);
}

/** Each status once, in its order: how often a step was tried again is no behaviour. */
function wayOf({ said }: End): string {
  const timeline = said === undefined ? undefined : field(said, 'timeline');
  if (!Array.isArray(timeline)) return 'none';
  return [...new Set(timeline.map((one: { to?: unknown }) => String(one.to)))].join(' → ');
}

export const idempotency: Check = async (visit, book) => {
  const { run } = visit;
  const one = {
    name: 'once.txt',
    bytes: `Sent twice, kept once: ${run}.`,
    headers: { 'idempotency-key': `${run}-once` },
  };
  const [first, again] = [await upload(visit, one), await upload(visit, one)];
  book.fact('first', first.said.status);
  book.fact('again', again.said.status);
  book.fact('again is the same document', first.id !== undefined && first.id === again.id);
  book.fact('again says so', again.said.headers['idempotent-replayed'] ?? 'none');
  for (const [what, changed] of [
    ['another body', { ...one, bytes: 'Something else under the same key.' }],
    ['another name', { ...one, name: 'twice.txt' }],
    ['other metadata', { ...one, fields: { metadata: '{"other":true}' } }],
  ] as const) {
    const { said } = await upload(visit, changed);
    book.fact(`${what}/status`, said.status);
    book.fact(`${what}/code`, word(field(said, 'code')));
  }
  book.fact('end', (await follow(visit, first.id)).status);
};

const AT_ONCE = 6;

/** Each is sent twice under one key, all at the same time: the second must neither fail nor be another document. */
export const concurrency: Check = async (visit, book) => {
  const run = `${visit.run}-together`;
  const twice = Array.from({ length: AT_ONCE * 2 }, (_, i) => {
    const nth = Math.floor(i / 2);
    const headers = { 'idempotency-key': `${run}-${nth}`, 'x-correlation-id': run };
    return upload(visit, {
      name: `together-${nth}.txt`,
      bytes: `Number ${nth} of those sent together: ${run}.`,
      headers,
    });
  });
  const sent = await Promise.all(twice);
  const ids = [...new Set(sent.flatMap(({ id }) => id ?? []))];
  const ends = await Promise.all(ids.map((id) => follow(visit, id)));
  const { json } = await visit.ask({ path: `/v1/documents?limit=200&correlationId=${encodeURIComponent(run)}` });
  const listed = (json as { items?: unknown[] } | undefined)?.items;
  book.fact('uploads', sent.length);
  book.fact('accepted', sent.filter(({ id }) => id !== undefined).length);
  book.fact('documents', ids.length);
  book.fact('completed', ends.filter(({ status }) => status === 'completed').length);
  book.fact('listed', Array.isArray(listed) ? listed.length : 'no list');
};

/** The last of all: takes away what the others have left. */
export const erasure: Check = async (visit, book) => {
  const text = `The heron of ${visit.run} stands where the reeds are cut.`;
  const { id } = await upload(visit, { name: 'heron.txt', bytes: text });
  const end = await follow(visit, id);
  const at = `/v1/documents/${id}`;
  const retried = await visit.ask({ method: 'POST', path: `${at}/retry` });
  book.fact('before/end', end.status);
  book.fact('before/retry', retried.status);
  book.fact('before/retry/code', word(field(retried, 'code')));
  const erased = await visit.ask({ method: 'DELETE', path: at });
  if (erased.status === 403) {
    book.notSeen('', `the key may not erase: ${visit.left.size} documents stay, with the correlation ID ${visit.run}`);
    return;
  }
  book.fact('answer', erased.status);
  await tellErased(visit, book, at, id, text);
  const nobody = await visit.ask({ method: 'DELETE', path: '/v1/documents/00000000-0000-7000-8000-000000000000' });
  book.fact('no such document', nobody.status);
  const stayed = await eraseAll(visit);
  book.fact('all that was uploaded is erased', stayed.length === 0);
  if (stayed.length > 0) book.note(`not erased: ${stayed.join(', ')}`);
};

async function tellErased(visit: Visit, book: Book, at: string, id: string | undefined, text: string): Promise<void> {
  const after = await visit.ask({ path: at });
  book.fact('after/status', word(field(after, 'status')));
  book.fact('after/filename', word(field(after, 'filename')));
  const chunks = await visit.ask({ path: `${at}/chunks` });
  const items = field(chunks, 'items');
  book.fact('after/chunks', Array.isArray(items) ? items.length : 'no list');
  book.fact('after/is found', await finds(visit, text, id));
  book.fact('after/again', (await visit.ask({ method: 'DELETE', path: at })).status);
  book.fact(
    'after/retry',
    (await visit.ask({ method: 'POST', path: `${at}/retry`, headers: JSON_TYPE, body: '{}' })).status,
  );
}

/** @returns the ids that are still there, or never were. */
export async function eraseAll(visit: Visit): Promise<string[]> {
  const stayed: string[] = [];
  for (const id of visit.left) {
    const { status } = await visit.ask({ method: 'DELETE', path: `/v1/documents/${id}` });
    if (status === 200) visit.left.delete(id);
    else stayed.push(id);
    if (status === 403) break;
  }
  return stayed;
}
