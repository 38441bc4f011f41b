/** The thread of a parser child that parses. One job at a time: the parent sends the next one after the reply. */
import { parentPort } from 'node:worker_threads';
import { describe } from '#kernel/errors.ts';
import type { Job, Reply } from './child-protocol.ts';
import { parseLocally } from './parse.ts';

async function reply({ id, bytes, format, limits }: Job): Promise<Reply> {
  try {
    return { kind: 'done', id, outcome: await parseLocally(bytes, format, limits) };
  } catch (error) {
    return { kind: 'broken', id, because: describe(error) };
  }
}

// pdf.js leaves promises behind for damaged files, whose rejection nobody waits for and which would end this thread
// while it reads the next document. What is waited for is caught above; what never settles meets the time limit.
process.on('unhandledRejection', () => {});
parentPort?.on('message', async (job: Job) => parentPort?.postMessage(await reply(job)));
