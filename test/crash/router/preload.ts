/**
 * Loaded into an embedded router before its own code (`NODE_OPTIONS=--import`): stands between the process and the thread
 * of its database, as the wire does before Postgres. When the awaited step is reached it says so in a file and stands still,
 * and whoever reads the file kills it. `ROUTER_CRASH_FOLDER` holds both files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, Worker } from 'node:worker_threads';
import { makeTrail } from './steps.ts';

const folder = process.env['ROUTER_CRASH_FOLDER'];
const LOST = 30_000;

type Said = { readonly kind?: unknown; readonly text?: unknown; readonly rows?: unknown };

if (folder !== undefined && isMainThread) {
  const awaited = (): string | undefined => {
    try {
      return readFileSync(join(folder, 'awaited'), 'utf8');
    } catch {
      return undefined;
    }
  };
  const standStill = () => {
    writeFileSync(join(folder, 'reached'), '');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOST);
  };
  const trail = makeTrail(awaited);
  const { postMessage, emit } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, message: Said, ...rest: never[]) {
    if (typeof message?.text === 'string' && trail.asked(message.text)) standStill();
    return postMessage.call(this, message, ...rest);
  } as typeof postMessage;
  Worker.prototype.emit = function (this: Worker, name: string, ...rest: [Said?]) {
    const [said] = rest;
    const rows = said?.kind === 'done' && Array.isArray(said.rows) ? said.rows.length : 0;
    if (name === 'message' && (said?.kind === 'done' || said?.kind === 'failed') && trail.answered(rows)) standStill();
    return (emit as (name: string, ...rest: unknown[]) => boolean).call(this, name, ...rest);
  } as typeof emit;
}
