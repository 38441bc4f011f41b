/** The commands that are not roles: they ask, make or check something, and end. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Role as AccessRole, type Principal, ROLES } from '#access/roles.ts';
import { systemClock } from '#kernel/clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { addChangeCommands } from './change-commands.ts';
import { readConfig } from './config.ts';
import { addDemoCommand } from './demo-command.ts';
import { addDrillCommand } from './drill-command.ts';
import { addIncidentCommands, addSilenceCommands } from './incident-commands.ts';
import { connectKeys, type KeysOf } from './keys-client.ts';
import { addOncallCommands } from './oncall-commands.ts';
import { addRouteCommands } from './route-commands.ts';
import type { Role } from './settings.ts';
import { addSloCommands } from './slo-commands.ts';

const CHECKED_ROLES = ['service', 'api', 'worker', 'router', 'simulators', 'start'] as const;

export function addCommands(program: Command): void {
  configCommand(program);
  keysCommand(program);
  addSloCommands(program);
  addOncallCommands(program);
  addIncidentCommands(program);
  addSilenceCommands(program);
  addChangeCommands(program);
  addDrillCommand(program);
  addDemoCommand(program);
  addRouteCommands(program);
  program
    .command('prepare', { hidden: true })
    .description('builds what the first start would have to build')
    .action(async () => {
      const { prepareImages } = await import('./database.ts');
      await prepareImages(systemClock);
    });
}

function configCommand(program: Command): void {
  program
    .command('config')
    .description('the configuration')
    .command('check')
    .description('reads the environment as a role would, and names every fault at once; exit code 1 if there is one')
    .addOption(new Option('--role <role>', 'as which role').choices(CHECKED_ROLES).default('service'))
    .option('--json', 'as JSON')
    .action((options: { role: Role; json?: boolean }) => {
      const outcome = readConfig(options.role);
      const faults = outcome.kind === 'faults' ? outcome.faults : [];
      const warnings = outcome.kind === 'config' ? outcome.config.warnings : [];
      if (options.json) process.stdout.write(`${JSON.stringify({ ok: faults.length === 0, faults, warnings })}\n`);
      else {
        for (const { setting, message } of warnings) process.stdout.write(`warning  ${setting} ${message}\n`);
        for (const { setting, message } of faults) process.stdout.write(`fault    ${setting} ${message}\n`);
        if (faults.length === 0) process.stdout.write(`The configuration of ${options.role} is right.\n`);
      }
      process.exitCode = faults.length === 0 ? 0 : 1;
    });
}

function keysCommand(program: Command): void {
  const keys = program.command('keys').description('API keys: made, listed and revoked');
  const router = ['--router', 'a key of the router, which has a store of its own'] as const;
  keys
    .command('create')
    .description('makes a key and prints it, this once')
    .requiredOption('--name <name>', 'what it is for')
    .option('--roles <roles>', `with commas, some of ${ROLES.join(', ')}`, parseRoles, ['writer'] as AccessRole[])
    .option('--tenant <tenant>', 'whose documents it sees', 'default')
    .option('--days <days>', 'how long it is good; default: for ever', parseDays)
    .option(...router)
    .option('--json', 'as JSON')
    .action(async (options: KeyOptions) => {
      await using client = await connectKeys(cliPrincipal(options.tenant), keysOf(options));
      const expiresAt = options.days === undefined ? undefined : inDays(options.days);
      const { id, key } = await client.create({ name: options.name, roles: options.roles, expiresAt });
      process.stdout.write(options.json ? `${JSON.stringify({ id, key })}\n` : `${key}\n`);
    });
  keys
    .command('list')
    .description('the keys of a tenant, without the keys themselves')
    .option('--tenant <tenant>', 'whose', 'default')
    .option(...router)
    .option('--json', 'as JSON')
    .action(async (options: { tenant: string; router?: boolean; json?: boolean }) => {
      await using client = await connectKeys(cliPrincipal(options.tenant), keysOf(options));
      const rows = await client.list();
      if (options.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
      for (const row of options.json ? [] : rows) {
        const state = row.revokedAt === null ? 'valid' : 'revoked';
        process.stdout.write(`${row.id}  ${state.padEnd(7)}  ${row.roles.join(',')}  ${row.name}\n`);
      }
    });
  keys
    .command('revoke <id>')
    .description('makes a key worthless, within seconds everywhere')
    .option('--tenant <tenant>', 'whose', 'default')
    .option(...router)
    .action(async (id: string, options: { tenant: string; router?: boolean }) => {
      await using client = await connectKeys(cliPrincipal(options.tenant), keysOf(options));
      if (await client.revoke(id)) return;
      process.stderr.write(`There is no key ${id} of tenant ${options.tenant}\n`);
      process.exitCode = 1;
    });
}

type KeyOptions = {
  readonly name: string;
  readonly roles: AccessRole[];
  readonly tenant: string;
  readonly days?: number;
  readonly router?: boolean;
  readonly json?: boolean;
};
const keysOf = ({ router }: { readonly router?: boolean }): KeysOf => (router ? 'router' : 'service');

const cliPrincipal = (tenant: string): Principal => ({ tenant, subject: 'cli', roles: ROLES, via: 'anonymous' });

function parseRoles(text: string): AccessRole[] {
  return text.split(',').map((item) => {
    const role = ROLES.find((known) => known === item.trim());
    if (!role) throw new InvalidArgumentError(`"${item}" is none of ${ROLES.join(', ')}`);
    return role;
  });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!(days > 0 && days <= 3_650)) throw new InvalidArgumentError('expected a number of days up to 3650');
  return days;
}

const inDays = (days: number): Milliseconds => milliseconds(systemClock.now() + days * 86_400_000);
