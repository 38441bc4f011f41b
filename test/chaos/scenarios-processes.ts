/** Processes: killed, hung, dead for a while. The moments of a kill are the crash tests' own (docs/crash-test.md). */
import { milliseconds } from '#kernel/units.ts';
import type { Moment } from '#test/crash/moments.ts';
import { PGLITE_MOMENTS } from '#test/crash/moments-pglite.ts';
import { POSTGRES_MOMENTS } from '#test/crash/moments-postgres.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import type { Holds } from './verdict.ts';

/** One of each step. */
const STEPS = {
  embedded: ['parse: upload open', 'chunk', 'embed: call open', 'store'],
  postgres: ['parse: upload open', 'chunk', 'embed: call open', 'store: some batches stored'],
} as const;
/** A step that is over too soon, or that a busy machine does not come to in time, is tried again. */
const TRIES = 6;

async function killIn(stage: Stage, steps: readonly string[]): Promise<void> {
  const { database } = stage.ground;
  const moments: Readonly<Record<string, Moment>> = database === 'postgres' ? POSTGRES_MOMENTS : PGLITE_MOMENTS;
  const missed: string[] = [];
  for (const step of steps) {
    const moment = moments[step];
    if (!moment) throw new Error(`There is no moment ${step}`);
    let hit = false;
    for (let tries = 0; tries < TRIES && !hit; tries++) {
      for (const member of stage.ground.stack.members) await member.up();
      hit = await moment(stage.scene);
    }
    if (!hit) missed.push(step);
  }
  if (missed.length > 0) throw new Error(`These moments did not come, so that nothing was shown: ${missed.join(', ')}`);
}

const nothing = async (): Promise<void> => {};
/** Nobody is to be woken for what mends itself. */
const UNSEEN: Holds = {
  recoverWithin: milliseconds(30_000),
  ...{ paged: false, neighbour: 'nothing lost', kept: true },
};
const hungOne = (stage: Stage) => stage.member(stage.ground.database === 'postgres' ? 'worker-1' : 'service');

/** @param steps by their moments; default: each. */
export const workerKilled = (steps?: readonly string[]): Scenario => ({
  name: 'worker-killed',
  faults: `kill -9 ${steps ? steps.join(', ') : 'while it parses, chunks, embeds, stores'}`,
  databases: ['embedded', 'postgres'],
  ...{ warm: 10, lasts: 0, after: 10, holds: UNSEEN },
  begin: (stage) => killIn(stage, steps ?? STEPS[stage.ground.database]),
  end: nothing,
});

export const PROCESS_SCENARIOS: readonly Scenario[] = [
  workerKilled(),
  {
    name: 'worker-hung',
    faults: 'SIGSTOP for 20 s, then SIGCONT; on Postgres of one worker of two',
    databases: ['embedded', 'postgres'],
    workers: 2,
    ...{ warm: 15, lasts: 20, after: 20, holds: UNSEEN },
    begin: async (stage) => hungOne(stage).signal('SIGSTOP'),
    end: async (stage) => hungOne(stage).signal('SIGCONT'),
  },
  {
    name: 'one-worker-dead',
    faults: 'one of two workers killed -9, started again after 30 s',
    databases: ['postgres'],
    workers: 2,
    ...{ warm: 15, lasts: 30, after: 15, holds: { ...UNSEEN, recoverWithin: milliseconds(20_000) } },
    begin: async (stage) => stage.member('worker-1').die(30_000),
    end: nothing,
  },
];
