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

const MAINTENANCE = ['-c', 'shared_buffers=8MB', '-c', 'max_wal_size=64MB', '-c', 'wal_sync_method=fsync'];

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
  const startParams = [...(data.fsync ? defaults.filter((flag) => flag !== '-F') : defaults), ...MAINTENANCE];
  const options: PGliteOptions = {
    extensions: { vector },
    startParams,
    parsers: {
      [types.INT8]: Number,
      [types.NUMERIC]: Number,
      [types.TIMESTAMPTZ]: (text: string) => Date.parse(text),
    },
    ...(data.folder === null ? {} : { fs: new SyncingNodeFS(data.folder) }),
  };
  const pg = await PGlite.create(options);
  await pg.exec('create extension if not exists vector');
  return pg;
}

/** pgvector's type has an OID of its own in each database: ask for it, then send its parameters as they are. */
async function vectorSerializer(pg: PGlite): Promise<Record<number, (value: unknown) => string>> {
  const { rows } = await pg.query<{ oid: number }>(`select oid::int4 as oid from pg_type where typname = 'vector'`);
  return rows[0] ? { [rows[0].oid]: (value: unknown) => value as string } : {};
}

const port = parentPort;
if (port) {
  const reply = (answer: Answer) => port.postMessage(answer);
  const pg = await open(workerData as ThreadData);
  const serializers = await vectorSerializer(pg);
  pg.onNotification((channel, payload) => reply({ kind: 'notified', channel, payload }));
  port.on('message', async (ask: Ask) => {
    try {
      if (ask.kind === 'query') {
        const { rows } = await pg.query(ask.text, ask.params, { serializers });
        reply({ kind: 'done', id: ask.id, rows: rows as Record<string, unknown>[] });
      } else if (ask.kind === 'script') {
        await pg.exec(ask.text);
        reply({ kind: 'done', id: ask.id, rows: [] });
      } else {
        await pg.close();
        reply({ kind: 'done', id: ask.id, rows: [] });
      }
    } catch (error) {
      const { message, code, constraint } = error as { message: string; code?: string; constraint?: string };
      const named = { ...(code ? { code } : {}), ...(constraint ? { constraint } : {}) };
      reply({ kind: 'failed', id: ask.id, error: { message, ...named } });
    }
  });
  reply({ kind: 'opened' });
}
