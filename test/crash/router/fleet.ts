/** The processes of a router's crash test: one embedded, or two on one Postgres, each with a wire of its own. */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { openPglite } from '#kernel/pglite.ts';
import { openPostgres } from '#kernel/postgres.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import type { Engine } from '#test/crash/fleet.ts';
import { type Member, type MemberSpec, startMember } from '#test/crash/member.ts';
import { temporaryFolder } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';
import { type Files, makeFiles } from './files.ts';
import type { Receivers } from './receivers.ts';
import { startWire } from './wire.ts';

export type Fleet = AsyncDisposable & {
  readonly engine: Engine;
  readonly files: Files;
  readonly members: readonly Member[];
  living(): Member[];
  urlOf(member: Member): string;
  /** Whoever reaches the named step first is handed over there, before it gets any further. */
  catchAt(step: string, limit: number, caught: (member: Member) => void): Promise<Member | undefined>;
  /** Whose end of a connection this port is. */
  ownerOf(port: number): Member | undefined;
  readonly accidents: readonly string[];
  /** Stops all, and opens the database to look into. */
  close(): Promise<Db>;
};

const LIMITS = { statement: milliseconds(20_000), transaction: milliseconds(20_000) };

export async function startFleet(engine: Engine, receivers: Receivers, databaseUrl?: string): Promise<Fleet> {
  await using undo = new AsyncDisposableStack();
  const folder = temporaryFolder();
  undo.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const files = makeFiles(folder, receivers);
  const [members, accidents, urls] = [[] as Member[], [] as string[], new Map<string, string>()];
  undo.defer(async () => void (await Promise.all(members.map((member) => member.stop()))));
  const trap = makeTrap(join(folder, 'trap'));
  for (const name of databaseUrl === undefined ? ['router'] : ['r1', 'r2']) {
    const port = await freePort();
    urls.set(name, `http://127.0.0.1:${port}`);
    let env: MemberSpec['env'] = { BURNLINE_STATE: folder, RATE_PER_SECOND: '100000', RATE_BURST: '100000' };
    if (databaseUrl === undefined) env = { ...env, ...trap.env };
    else {
      const reached = () => trap.reached(members.find((one) => one.name === name));
      const wire = undo.use(await startWire(databaseUrl, trap.awaited, reached));
      env = { ...env, ROUTER_DATABASE_URL: wire.url };
    }
    const args = ['--web.listen-address', `127.0.0.1:${port}`, '--config.file', files.config];
    args.push('--oncall.file', files.oncall, '--storage.path', join(folder, 'data'));
    members.push(await startMember({ name, role: 'router', env, args }, (text) => accidents.push(text)));
  }
  const rest = undo.move();
  let opened: Db | undefined;
  return {
    engine,
    files,
    members,
    accidents,
    living: () => members.filter((one) => one.alive()),
    urlOf: ({ name }) => urls.get(name) ?? '',
    catchAt: (step, limit, caught) =>
      trap.catchAt(step, limit, databaseUrl === undefined ? members[0] : undefined, caught),
    ownerOf: (port) => members.find((member) => ownsPort(member.pid(), port)),
    close: async () => {
      await Promise.all(members.map((member) => member.stop()));
      opened ??=
        databaseUrl === undefined
          ? await openPglite({ folder: join(folder, 'data'), limits: LIMITS, clock: systemClock })
          : openPostgres({
              url: secret(databaseUrl),
              poolSize: 2,
              limits: LIMITS,
              clock: systemClock,
              applicationName: 'look',
            });
      return opened;
    },
    [Symbol.asyncDispose]: async () => {
      await opened?.close();
      await rest.disposeAsync();
    },
  };
}

/** The step that is waited for, for the wires in memory and for an embedded router in files. */
function makeTrap(folder: string) {
  mkdirSync(folder);
  const [awaitedFile, reachedFile] = [join(folder, 'awaited'), join(folder, 'reached')];
  let awaited: string | undefined;
  let found: (member: Member | undefined) => void = () => {};
  const disarm = () => {
    awaited = undefined;
    for (const file of [awaitedFile, reachedFile]) rmSync(file, { force: true });
  };
  return {
    env: {
      NODE_OPTIONS: `--import=${pathToFileURL('test/crash/router/preload.ts').href}`,
      ROUTER_CRASH_FOLDER: folder,
    },
    awaited: () => awaited,
    /** Called by a wire, which passes nothing on until it returns. */
    reached: (member: Member | undefined) => {
      disarm();
      found(member);
    },
    catchAt: async (step: string, limit: number, embedded: Member | undefined, caught: (member: Member) => void) => {
      const { promise, resolve } = Promise.withResolvers<Member | undefined>();
      found = (member) => {
        if (member !== undefined) caught(member);
        resolve(member);
      };
      awaited = step;
      if (embedded !== undefined) writeFileSync(awaitedFile, step);
      const begun = performance.now();
      while (embedded !== undefined && !existsSync(reachedFile) && performance.now() - begun < limit) await sleep(1);
      if (existsSync(reachedFile)) {
        disarm();
        found(embedded);
      }
      const late = setTimeout(() => resolve(undefined), embedded === undefined ? limit : 0);
      const member = await promise;
      clearTimeout(late);
      disarm();
      found = () => {};
      return member;
    },
  };
}

/** By Linux' own list: the socket of that port, and whether the process has it open. */
function ownsPort(pid: number | undefined, port: number): boolean {
  if (pid === undefined) return false;
  try {
    const wanted = port.toString(16).toUpperCase().padStart(4, '0');
    const lines = ['tcp', 'tcp6'].flatMap((kind) => readFileSync(`/proc/${pid}/net/${kind}`, 'utf8').split('\n'));
    const inodes = new Set(
      lines
        .map((line) => line.trim().split(/\s+/))
        .filter((row) => row[1]?.endsWith(`:${wanted}`))
        .map((row) => `socket:[${row[9]}]`),
    );
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
