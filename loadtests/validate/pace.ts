/** How long a target takes, often enough for a distribution, and gently: one request at a time, four documents at once. */
import { milliseconds } from '#kernel/units.ts';
import { ERRORS, NOT_ACCEPTED, NOT_COMPLETED } from './troubles.ts';
import { type Book, type Check, field, follow, JSON_TYPE, type Sent, upload, type Visit } from './visit.ts';
import type { Ask } from './wire.ts';

const TOGETHER = 4;
/** Connections are made, statements prepared, code compiled: not what is compared. */
const WARM_UP = 3;
const REST = milliseconds(20);
/** Reads of each kind between two rounds of uploads. */
const READS_A_ROUND = 8;

export const performance: Check = async (visit, book) => {
  const { repetitions } = visit;
  const rounds = Math.max(1, Math.ceil(repetitions / READS_A_ROUND));
  for (let round = 0; round < rounds; round++) {
    // By turns, so that a busy minute of the machine is spread over all of them.
    const sent = await uploads(visit, book, round);
    const reads = readsOf(sent.find(({ id }) => id !== undefined)?.id);
    if (round === 0) for (let i = 0; i < WARM_UP; i++) for (const ask of Object.values(reads)) await visit.askOnce(ask);
    for (let i = 0; i < READS_A_ROUND; i++) {
      for (const [name, ask] of Object.entries(reads)) {
        const said = await visit.askOnce(ask);
        // What was turned away was quick, and says nothing.
        if (said.status === 200) book.sample(name, said.ms);
        else if (said.status !== 429) book.trouble(ERRORS);
        await visit.clock.sleep(REST, visit.signal);
      }
    }
  }
};

function readsOf(id: string | undefined): Record<string, Ask> {
  const body = JSON.stringify({ query: 'what the archive says about tides', limit: 5 });
  return {
    health: { path: '/healthz' },
    list: { path: '/v1/documents?limit=20' },
    ...(id === undefined ? {} : { 'one document': { path: `/v1/documents/${id}` } }),
    search: { method: 'POST', path: '/v1/search', headers: JSON_TYPE, body },
  };
}

async function uploads(visit: Visit, book: Book, round: number): Promise<Sent[]> {
  const sent = await Promise.all(
    Array.from({ length: TOGETHER }, (_, i) =>
      upload(visit, { name: `tide-${i}.txt`, bytes: `Tide ${i} of round ${round}, archive of ${visit.run}.` }),
    ),
  );
  for (const { said, id } of sent) {
    if (id !== undefined) book.sample('upload', said.ms);
    else book.trouble(NOT_ACCEPTED);
  }
  // By the target's own times: how often it was asked would show in ours.
  const spans: [from: number, to: number][] = [];
  for (const { id } of sent) {
    const { status, said } = await follow(visit, id);
    if (status !== 'completed' && id !== undefined) book.trouble(NOT_COMPLETED);
    if (status !== 'completed' || said === undefined) continue;
    const [from, to] = [Date.parse(String(field(said, 'acceptedAt'))), Date.parse(String(field(said, 'finishedAt')))];
    if (!(to >= from)) continue;
    spans.push([from, to]);
    book.sample('accepted to completed', to - from);
  }
  const span = Math.max(...spans.map(([, to]) => to)) - Math.min(...spans.map(([from]) => from));
  if (spans.length === TOGETHER && span > 0) book.sample('documents per second', (TOGETHER * 1_000) / span);
  return sent;
}
