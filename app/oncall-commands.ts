/** Who is on call, and whether the router's files are right. Reads and prints; decides nothing. */
import { type Command, Option } from 'commander';
import type { OnCallView } from '#alerting/oncall/view.ts';
import { systemClock } from '#kernel/clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Flags, readConfig } from './config.ts';
import { addOverrideCommands } from './oncall-override-commands.ts';
import type { SourcesRead } from './router-files.ts';
import { setting } from './settings.ts';
import { parseAt } from './slo-source.ts';

const FAULTS = 1;
const USAGE = 2;

/** As commander keeps them, which takes a dot for a part of the name. */
export type FileOptions = { readonly 'config.file'?: string; readonly 'oncall.file'?: string };
type WhoOptions = FileOptions & { readonly at?: Milliseconds; readonly schedule?: string; readonly json?: boolean };
type CheckOptions = FileOptions & { readonly json?: boolean };

export function addOncallCommands(program: Command): void {
  const oncall = program.command('oncall').description('on call: who it is, and whether oncall.yaml is right');
  withFiles(
    oncall
      .command('who')
      .description(
        'who is on call, until when, and who then; asks the running router, or reads the files that are named',
      )
      .option('--at <moment>', 'RFC 3339; default: now', parseAt)
      .option('--schedule <name>', 'this one alone')
      .option('--json', 'as JSON'),
  )
    .addHelpText(
      'after',
      '\nEnvironment:\n  BURNLINE_ROUTER_URL   the router that is asked; default: http://127.0.0.1:9093',
    )
    .action(who);
  withFiles(
    oncall
      .command('check')
      .description(
        'reads both files as the router would: every fault, and gaps in the next 90 days; exit code 1 if wrong',
      )
      .option('--json', 'as JSON'),
  ).action(async (options: CheckOptions) => await check(options));
  addOverrideCommands(oncall);
  const router = program.commands.find((command) => command.name() === 'router');
  router
    ?.command('check-config')
    .description('reads alertmanager.yml, and oncall.yaml where it is set, as the router would; exit code 1 if wrong')
    .argument('[FILE]', 'alertmanager.yml; default: the one of --config.file, or the one that ships')
    .option('--json', 'as JSON')
    // Commander reads the role's options for the role, wherever they stand.
    .addHelpText('after', '\nOptions of the role, such as --oncall.file, hold here too.')
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      const options: CheckOptions = command.optsWithGlobals();
      await check(file === undefined ? options : { ...options, 'config.file': file });
    });
}

export const withFiles = (command: Command): Command =>
  (['ROUTER_CONFIG_FILE', 'ROUTER_ONCALL_FILE'] as const).reduce((before, name) => {
    const { flag = '', help } = setting(name);
    return before.addOption(new Option(flag, `${help} [${name}]`));
  }, command);

async function who(options: WhoOptions): Promise<void> {
  const given = options['config.file'] !== undefined || options['oncall.file'] !== undefined;
  const all = given ? await readWho(options) : await (await import('./router-client.ts')).askOnCall(options.at);
  if (all === undefined) return;
  const { schedule } = options;
  const found = schedule === undefined ? all : all.filter((one) => one.schedule === schedule);
  if (schedule !== undefined && found.length === 0) {
    const known = all.length === 0 ? 'there is none' : `there is ${all.map((one) => one.schedule).join(', ')}`;
    process.stderr.write(`No schedule is called ${schedule}: ${known}\n`);
    process.exitCode = FAULTS;
    return;
  }
  if (options.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else if (found.length === 0) process.stdout.write('There are no schedules.\n');
  else {
    const { shownAt } = await import('#alerting/oncall/zone.ts');
    for (const one of found) process.stdout.write(`${lineOf(one, shownAt)}\n`);
  }
}

function lineOf(
  { schedule, timeZone, onDuty, until, next }: OnCallView,
  shownAt: (zone: string, at: Milliseconds) => string,
): string {
  const names = (people: OnCallView['onDuty']): string =>
    people.map(({ name, displayName }) => (name === displayName ? name : `${displayName} (${name})`)).join(', ') ||
    'nobody';
  const now = `${schedule}  ${names(onDuty)}`;
  if (until === null) return now;
  return `${now} until ${shownAt(timeZone, milliseconds(Date.parse(until)))} ${timeZone}, then ${names(next)}`;
}

async function readWho(options: WhoOptions): Promise<readonly OnCallView[] | undefined> {
  const read = await readFiles(options);
  if (read === undefined) return undefined;
  if (read.kind === 'read') {
    const { viewOnCall } = await import('#alerting/oncall/view.ts');
    return viewOnCall(read.oncall, options.at ?? systemClock.now());
  }
  const { faultText } = await import('./router-files.ts');
  process.stderr.write(read.faults.map((one) => `${faultText(one)}\n`).join(''));
  process.exitCode = FAULTS;
  return undefined;
}

async function check(options: CheckOptions): Promise<void> {
  const read = await readFiles(options);
  if (read === undefined) return;
  const { faultText } = await import('./router-files.ts');
  const [faults, warnings] = read.kind === 'faults' ? [read.faults, []] : [[], read.warnings];
  if (options.json) process.stdout.write(`${JSON.stringify({ ok: faults.length === 0, faults, warnings })}\n`);
  else {
    for (const fault of faults) process.stdout.write(`fault    ${faultText(fault)}\n`);
    for (const { field, message } of warnings) process.stdout.write(`warning  ${field}: ${message}\n`);
    if (read.kind === 'read') process.stdout.write(`${rightText(read)}\n`);
  }
  if (faults.length > 0) process.exitCode = FAULTS;
}

function rightText({ config, oncall }: Extract<SourcesRead, { kind: 'read' }>): string {
  const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
  const parts = [
    count(config.receivers.size, 'receiver', 'receivers'),
    count(oncall.people.size, 'person', 'people'),
    count(oncall.schedules.size, 'schedule', 'schedules'),
    count(oncall.policies.size, 'policy', 'policies'),
  ];
  return `The files are right: ${parts.join(', ')}.`;
}

/** The files that the router would read. Undefined when the settings are wrong, which has been said. */
export async function readFiles(options: FileOptions): Promise<SourcesRead | undefined> {
  const { 'config.file': config, 'oncall.file': oncall } = options;
  const flags: Flags = {
    ...(config === undefined ? {} : { ROUTER_CONFIG_FILE: config }),
    ...(oncall === undefined ? {} : { ROUTER_ONCALL_FILE: oncall }),
  };
  const outcome = readConfig('router', flags);
  if (outcome.kind === 'faults') {
    for (const { setting: name, message } of outcome.faults) process.stderr.write(`burnline: ${name} ${message}\n`);
    process.exitCode = USAGE;
    return undefined;
  }
  const { sourcesOf } = await import('./router-shipped.ts');
  const { readSources } = await import('./router-files.ts');
  return readSources(sourcesOf(outcome.config), systemClock.now());
}
