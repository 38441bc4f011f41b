/** What a user could see twice of one document: two ends in its timeline, or a chunk twice. */
import type { Row } from '#loadtests/accounts.ts';
import { readChunks } from '#test/crash/evidence.ts';
import type { Sent } from '#test/crash/uploads.ts';
import { read } from '#test/kit/client.ts';

const ENDS = ['completed', 'rejected', 'failed'];

/** Of the default tenant's documents. @returns their ids. */
export async function findRepeated(api: string, rows: readonly Row[], sent: readonly Sent[]): Promise<string[]> {
  const markers = new Map(sent.map(({ id, marker }) => [id, marker]));
  const found: string[] = [];
  for (const { id, status } of rows) {
    const marker = markers.get(id);
    if (marker === undefined) continue;
    const { timeline } = await read(api, id);
    // What the webhook came to is a line of its own, from an end to the same.
    const ends = timeline.filter(({ from, to }) => ENDS.includes(to) && from !== to).length;
    const chunks = status === 'completed' ? await readChunks(api, id) : [];
    const ordinals = new Set(chunks.map(({ ordinal }) => ordinal));
    if (ends > 1 || ordinals.size !== chunks.length) found.push(id);
  }
  return found;
}
