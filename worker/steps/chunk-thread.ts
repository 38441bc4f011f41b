/** The thread of chunk.ts: pages in, drafts out. */
import { parentPort, workerData } from 'node:worker_threads';
import { chunk } from '#worker/chunker.ts';

parentPort?.postMessage(chunk(workerData as readonly string[]));
