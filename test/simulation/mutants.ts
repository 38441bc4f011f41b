/**
 * `node test/simulation/mutants.ts [--seeds 400] [--only NAME]`: plants one bug after the other into a copy of the source,
 * and says whether the simulation finds it. A bug that it does not find is a hole in its invariants.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What the simulation broke on once: played in every run, and where no other history finds a bug. */
export const BROKEN_ONCE = [6814, 15229, 18045];

export type Mutant = { readonly name: string; readonly file: string; readonly from: string; readonly to: string };

export const MUTANTS: readonly Mutant[] = [
  mutant(
    'an alert that comes back joins no group',
    'intake.ts',
    'return fired && before.config',
    'return before && before.config',
  ),
  mutant(
    'a critical alert does not hurry',
    'intake.ts',
    'hurryTo: hurry(setup, route, alert, now)',
    'hurryTo: undefined',
  ),
  mutant('an end does not reach the groups', 'intake.ts', 'return fired ? joinsOf', 'return !fired ? joinsOf'),
  mutant('inhibition is forgotten', 'muting.ts', 'silencedBy.length + inhibitedBy.length > 0', 'silencedBy.length > 0'),
  mutant('a group is not looked at again', 'flush.ts', 'now + route.groupInterval', 'now + 1e12'),
  mutant('who was told is not remembered', 'groups.ts', "await tx.tell(group.id, 'firing', flush.nowFiring);", ''),
  mutant('what fires again is taken for what was closed', 'flush.ts', 'alert.receivedAt <= flushedAt', 'true'),
  mutant(
    'what fires again while it is inhibited is taken for what was closed',
    'groups.ts',
    'await tx.tell(group.id, undefined, flush.forgotten);',
    '',
  ),
  mutant('an incident ends with its first alert', 'flush.ts', 'if (all.every(', 'if (all.some('),
  mutant('an inhibited alert opens an incident', 'flush.ts', '!muted.has(alert.fingerprint)', 'true'),
  mutant(
    'the first step waits for the second',
    'escalation.ts',
    'const { delay } = policy.steps[0];',
    'const { delay } = policy.steps[1] ?? policy.steps[0];',
  ),
  mutant(
    'a step does not say when the next one is',
    'escalation.ts',
    'return { step: step + 1, round };',
    'return undefined;',
  ),
  mutant(
    'the second round is left out',
    'escalation.ts',
    'return round < policy.repeat.times',
    'return round > policy.repeat.times',
  ),
  mutant(
    'an acknowledgement does not stop the steps',
    'answer.ts',
    "state: 'acknowledged', snoozedUntil: undefined, dueAt: undefined",
    "state: 'acknowledged', snoozedUntil: undefined",
  ),
  mutant(
    'the end is told to nobody',
    'incidents.ts',
    "tellAll(around, tx, setup, ended, 'resolve', alerts, now)",
    'tx.saveIncident(ended, now)',
  ),
  mutant(
    'a resolved incident goes on escalating',
    'incidents.ts',
    "state: 'resolved', resolvedAt: now, dueAt: undefined };",
    "state: 'resolved', resolvedAt: now };",
  ),
  mutant(
    'who was paged is forgotten',
    'incidents.ts',
    'told: [...new Set([...incident.told, ...paged.map(',
    'told: [...new Set([...paged.slice(1).map(',
  ),
  mutant('PagerDuty hears of the end alone', 'outbox.ts', 'if (keyed) return old === fresh ? fresh : undefined;', ''),
  mutant(
    'an update replaces the page',
    'outbox.ts',
    "old === 'missed' ? undefined : old;",
    "old === 'missed' ? undefined : fresh;",
  ),
  mutant('patience is not kept', 'outbox.ts', 'availableAt: (now + wait) as Milliseconds', 'availableAt: now'),
  mutant(
    'patience is for one message alone',
    'outbox.ts',
    'restUntil: wish === undefined ? undefined',
    'restUntil: wish !== -1 ? undefined',
  ),
  mutant(
    'a retry is taken for a refusal',
    'outbox.ts',
    "state: 'pending',\n        availableAt",
    "state: 'refused' as 'pending',\n        availableAt",
  ),
  mutant('an ambiguous send is not marked', 'outbox.ts', "mayRepeat: outcome.kind === 'ambiguous'", 'mayRepeat: false'),
  mutant(
    'a refusal does not hurry the next step',
    'delivery.ts',
    'isLast && waits ? now : incident.dueAt',
    'isLast && waits ? undefined : incident.dueAt',
  ),
  mutant(
    'a mark of a claim that is lost is believed',
    'delivery.ts',
    'if (!(await tx.settle(claimed, settlement, now))) return;',
    'if (await tx.settle(claimed, settlement, now)) return;',
  ),
  mutant('an event that is told twice counts twice', 'inbound.ts', 'if (!fresh) return', 'if (false) return'),
  mutant('who takes an answer back is not followed', 'answer.ts', 'dueAt: now, ...ANEW', 'dueAt: undefined, ...ANEW'),
  mutant('Slack is written to without a rest', 'delivery.ts', 'slack: milliseconds(1_000)', 'slack: milliseconds(0)'),
];

function mutant(name: string, file: string, from: string, to: string): Mutant {
  return { name, file, from, to };
}

const ROOMS = ['alerting', 'kernel', 'access', 'collector', 'serving', 'slo', 'test'];

/** @returns what the simulation said of it; undefined: nothing. */
function play({ file, from, to }: Mutant, seeds: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'burnline-mutant-'));
  try {
    for (const room of ROOMS) cpSync(room, join(folder, room), { recursive: true });
    cpSync('package.json', join(folder, 'package.json'));
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    const path = join(folder, 'alerting', file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
    const runs = [['--seeds', seeds], ...BROKEN_ONCE.map((seed) => ['--seeds', '1', '--first', String(seed)])];
    return runs.map((args) => saidBy(folder, args)).find((said) => said !== undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first line of what it broke; undefined: nothing. */
function saidBy(folder: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['test/simulation/run.ts', ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return status === 0 ? undefined : stdout.split('\n')[0] || stderr.split('\n')[0] || 'it did not end';
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seeds: { type: 'string', default: '400' }, only: { type: 'string' } } });
  let missed = 0;
  for (const one of MUTANTS) {
    if (values.only !== undefined && !one.name.includes(values.only)) continue;
    const found = play(one, values.seeds);
    if (found === undefined) missed++;
    process.stdout.write(
      `${found === undefined ? 'MISSED' : 'found '}  ${one.name}${found ? `: ${found.slice(0, 120)}` : ''}\n`,
    );
  }
  process.stdout.write(`${missed} missed\n`);
  process.exitCode = missed === 0 ? 0 : 1;
}
