/**
 * The thread in which PGlite lives, since a query stands its thread still. Speaks `Ask` and `Answer` of pglite.ts.
 *
 * PGlite never calls fsync: it starts Postgres with -F, and Emscripten's NODEFS has no fsync. Both are mended here for a
 * folder on disk, so that a commit that was answered survives a power cut as far as the disk keeps its word.
 */
import { fdatasyncSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, type PGliteOptions, types } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { vector } from '@electric-sql/pglite-pgvector';
import type { Answer, Ask, ThreadData } from './pglite.ts';
import { makeStatements } from './pglite-statements.ts';

const SETTINGS = [
  'shared_buffers=8MB',
  'max_wal_size=64MB',
  'wal_sync_method=fsync',
  'plan_cache_mode=force_generic_plan',
];

type Stream = { nfd: number };
type NodeFsModule = { FS: { filesystems: { NODEFS: { stream_ops: Record<string, unknown> } } } };

class SyncingNodeFS extends NodeFS {
  override async init(...[pg, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const made = await super.init(pg, options);
    const hook = (module: NodeFsModule) => {
      module.FS.filesystems.NODEFS.stream_ops['fsync'] = (stream: Stream) => {
        fdatasyncSync(stream.nfd);
        return 0;
      };
    };
    const preRun = [...((made.emscriptenOpts.preRun as unknown[]) ?? []), hook];
    return { emscriptenOpts: { ...made.emscriptenOpts, preRun } as typeof made.emscriptenOpts };
  }
}

async function open(data: ThreadData): Promise<PGlite> {
  const defaults = (PGlite as unknown as { defaultStartParams: string[] }).defaultStartParams;
  const startParams = [
    ...(data.fsync ? defaults.filter((flag) => flag !== '-F') : defaults),
    ...SETTINGS.flatMap((one) => ['-c', one]),
  ];
  const options: PGliteOptions = {
    extensions: { vector },
    startParams,
    parsers: {
      [types.INT8]: Number,
      [types.NUMERIC]: Number,
      [types.TIMESTAMPTZ]: (text: string) => Date.parse(text),
    },
    fs: new SyncingNodeFS(data.folder),
  };
  const pg = await PGlite.create(options);
  await pg.exec('create extension if not exists vector');
  return pg;
}

const port = parentPort;
if (port) {
  const reply = (answer: Answer) => port.postMessage(answer);
  const pg = await open(workerData as ThreadData);
  const statements = makeStatements(pg);
  pg.onNotification((channel, payload) => reply({ kind: 'notified', channel, payload }));
  const answer = async (ask: Ask): Promise<Answer> => {
    const { id } = ask;
    try {
      if (ask.kind === 'query') return { kind: 'done', id, rows: await statements.query(ask.text, ask.params) };
      if (ask.kind === 'script') await pg.exec(ask.text);
      else await pg.close();
      return { kind: 'done', id, rows: [] };
    } catch (error) {
      const { message, code, constraint } = error as { message: string; code?: string; constraint?: string };
      const named = { ...(code ? { code } : {}), ...(constraint ? { constraint } : {}) };
      return { kind: 'failed', id, error: { message, ...named } };
    }
  };
  // Strictly in order: callers send a whole transaction without waiting between its statements.
  let last = Promise.resolve();
  port.on('message', (ask: Ask) => {
    last = last.then(async () => reply(await answer(ask)));
  });
  reply({ kind: 'opened' });
}
