/**
 * Jobs on disk, so that a restarted simulator still knows them: for each `ID.json` (the job), `ID.pages.json` (its
 * result) and, until it is over, `ID.bin` (its bytes). Every file is written beside and renamed, so none is ever half.
 * Not fsynced: it survives a killed process, not a power cut.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { isOver, isStatus, type Job } from '#simulators/llamaparse-job.ts';

/** Finished jobs kept; the oldest go first. The vendor forgets after 48 hours. */
const MOST_FINISHED = 5_000;
const ID = /^pjb-[0-9a-f-]{36}$/;

export type JobStore = {
  get(id: string): Job | undefined;
  /** Newest first. */
  list(): Job[];
  /** Resolves when the bytes and the job are on disk. */
  create(job: Job, bytes: Uint8Array): Promise<void>;
  /** Known at once, on disk when it resolves. RUNNING is never written: to a restart it is the same as PENDING. */
  save(job: Job): Promise<void>;
  /** Before the job says that it is over, so that whoever reads that finds them. */
  savePages(id: string, pages: readonly string[]): Promise<void>;
  bytes(id: string): Promise<Uint8Array>;
  pages(id: string): Promise<readonly string[]>;
  delete(id: string): Promise<void>;
};

export async function openJobStore(folder: string, log: Log, most = MOST_FINISHED): Promise<JobStore> {
  await mkdir(folder, { recursive: true });
  const jobs = await readJobs(folder, log);
  const at = (id: string, ending: string) => join(folder, `${id}${ending}`);
  const remove = async (id: string) => {
    jobs.delete(id);
    await Promise.all(['.json', '.pages.json', '.bin'].map((ending) => rm(at(id, ending), { force: true })));
  };
  const forgetOldest = async () => {
    if (jobs.size <= most) return;
    const finished = [...jobs.values()].filter(({ status }) => isOver(status));
    await Promise.all(finished.slice(0, Math.max(0, finished.length - most)).map(({ id }) => remove(id)));
  };
  return {
    get: (id) => jobs.get(id),
    list: () => [...jobs.values()].reverse(),
    create: async (job, bytes) => {
      await writeWhole(at(job.id, '.bin'), bytes);
      await writeWhole(at(job.id, '.json'), JSON.stringify(job));
      jobs.set(job.id, job);
    },
    save: async (job) => {
      jobs.set(job.id, job);
      if (!isOver(job.status)) return;
      await writeWhole(at(job.id, '.json'), JSON.stringify(job));
      await rm(at(job.id, '.bin'), { force: true });
      await forgetOldest();
    },
    savePages: (id, pages) => writeWhole(at(id, '.pages.json'), JSON.stringify(pages)),
    bytes: (id) => readFile(at(id, '.bin')),
    pages: async (id) => JSON.parse(await readFile(at(id, '.pages.json'), 'utf8')) as string[],
    delete: remove,
  };
}

/** Ids are UUIDs of version 7: their order is the order of creation. */
async function readJobs(folder: string, log: Log): Promise<Map<string, Job>> {
  const jobs = new Map<string, Job>();
  const ids = (await readdir(folder)).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []));
  for (const id of ids.filter((name) => ID.test(name)).sort()) {
    try {
      const job = JSON.parse(await readFile(join(folder, `${id}.json`), 'utf8')) as Job;
      if (!isStatus(job.status)) throw new Error(`its status is ${job.status}`);
      jobs.set(id, job);
    } catch (error) {
      log.warn({ job: id, reason: describe(error) }, 'A stored parse job cannot be read and is left out');
    }
  }
  return jobs;
}

let writes = 0;
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.${writes++}.tmp`;
  await writeFile(beside, content);
  await rename(beside, path);
}
