/** The command line. Parses, configures, hands over; does nothing itself. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { describe, Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { translated } from './alertmanager-flags.ts';
import { type Config, type Flags, readConfig } from './config.ts';
import { VERSION } from './project.ts';
import { type Role, SETTING_NAMES, type SettingName, setting } from './settings.ts';

const USAGE = 2;

/** A role's configuration, or every fault of it on standard error and the end. */
function configure(role: Role, options: Readonly<Record<string, unknown>>): Config {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const { flag } = setting(name);
    const value = flag === undefined ? undefined : options[new Option(flag).attributeName()];
    if (value !== undefined) flags[name] = value === true ? 'on' : String(value);
  }
  const outcome = readConfig(role, flags as Flags);
  if (outcome.kind === 'config') return outcome.config;
  const lines = outcome.faults.map(({ setting: name, message }) => `  ${name} ${message}`);
  process.stderr.write(`burnline ${role}: the configuration has ${lines.length} fault(s)\n${lines.join('\n')}\n`);
  process.exit(USAGE);
}

function addRole(program: Command, role: Role, summary: string, run: (config: Config) => Promise<number>): void {
  const command = program.command(role).description(summary);
  const variables: string[] = [];
  for (const name of SETTING_NAMES) {
    const { flag, help, roles, many } = setting(name);
    if (!roles.includes(role)) continue;
    if (flag === undefined) variables.push(`  ${name.padEnd(34)} ${help}`);
    else command.addOption(new Option(flag, `${help} [${name}]`).argParser(many ? joined : once));
  }
  command.addHelpText('after', `\nEnvironment:\n${variables.join('\n')}`);
  command.action(async (options: Record<string, unknown>) => {
    process.exitCode = await run(configure(role, options));
  });
}

/** Of a flag that is given several times, all of it counts. */
const joined = (value: string, before: string | undefined): string =>
  before === undefined ? value : `${before},${value}`;

/** The last one would win unseen, and the first one's targets would not be watched. */
function once(value: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError(`It is given twice: ${before} and ${value}.`);
  return value;
}

async function runRole(config: Config): Promise<number> {
  const { startRuntime } = await import('./runtime.ts');
  const runtime = await startRuntime(config);
  try {
    // After telemetry has started, so that what they import is instrumented.
    if (config.role === 'simulators') await (await import('./simulators.ts')).runSimulators(config, runtime);
    else if (config.role === 'router') await (await import('./router.ts')).runRouter(config, runtime);
    else await (await import('./documents.ts')).runDocuments(config, runtime);
    return 0;
  } catch (error) {
    tellFailure(runtime.log, error);
    return 1;
  } finally {
    await runtime.telemetry.stop();
    // Whatever still holds the event loop must not hold the process.
    setImmediate(() => process.exit(process.exitCode));
  }
}

/** What we foresaw is one sentence; of the rest, somebody will want to see where it came from. */
function tellFailure(log: Log, error: unknown): void {
  if (error instanceof Fault) {
    const reason = error.cause === undefined ? undefined : describe(error.cause);
    log.error({ code: error.code, reason, ...error.fields }, error.message);
  } else log.error({ err: error }, describe(error));
}

async function startAll(config: Config): Promise<number> {
  const { startPlain } = await import('./runtime.ts');
  const { runStart } = await import('./start.ts');
  return await runStart(config, startPlain(config));
}

function makeProgram(): Command {
  const program = new Command('burnline')
    .description('Stands beside a document worker, measures whether it keeps its promise, and tells a human when not')
    .version(VERSION)
    .showHelpAfterError('(--help shows what is possible)')
    .configureHelp({ helpWidth: 110 })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE));
  addRole(program, 'start', 'everything on this machine, embedded, with simulators for the vendors', startAll);
  addRole(program, 'service', 'document API and worker in one process', runRole);
  addRole(program, 'api', 'document API alone, on a shared Postgres', runRole);
  addRole(program, 'worker', 'worker alone, on a shared Postgres', runRole);
  addRole(
    program,
    'router',
    'alert router alone: Alertmanager’s API and files, incidents, escalation, on call',
    runRole,
  );
  addRole(program, 'simulators', 'LlamaParse, OpenAI, Slack, PagerDuty and SMTP, simulated', runRole);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  const program = makeProgram();
  const { addCommands } = await import('./commands.ts');
  addCommands(program);
  await program.parseAsync(translated(argv));
}

await main(process.argv).catch((error: unknown) => {
  process.stderr.write(`burnline: ${describe(error)}\n`);
  process.exitCode = 1;
});
