/** Simulators for one test: a folder of their own, free ports, closed and swept away when the test ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { type SimulatorOptions, type Simulators, startSimulators } from './start.ts';
import type { Parser } from './vendors/llamaparse-run.ts';

/** What is called when the test is over: node:test's context has it. */
type Ending = { after(work: () => Promise<void>): void };

/** One page of plain text, at once. */
export const instantParser: Parser = async ({ bytes }) => ({
  kind: 'parsed',
  pages: [new TextDecoder().decode(bytes)],
});

export async function simulatorsFor(
  test: Ending,
  options: Partial<SimulatorOptions> = {},
): Promise<Simulators & { readonly folder: string }> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'simulators-')));
  const started: Simulators[] = [];
  test.after(async () => {
    for (const one of started) await one.close();
    await rm(folder, { recursive: true, force: true });
  });
  const simulators = await startSimulators({
    host: '127.0.0.1',
    port: 0,
    smtpPort: 0,
    seed: 1,
    latency: 'zero',
    clock: systemClock,
    log: silentLog,
    parser: instantParser,
    ...options,
    folder,
  });
  started.push(simulators);
  return { ...simulators, folder };
}
