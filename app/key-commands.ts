/** API keys from a shell: made, listed, revoked. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Role as AccessRole, type Principal, ROLES } from '#access/roles.ts';
import { systemClock } from '#kernel/clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { keepKey } from './key-file.ts';
import { connectKeys, type KeysOf } from './keys-client.ts';

export function addKeyCommands(program: Command): void {
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
    .option('--out <file>', 'writes it there and prints none; a file whose key is still good is left as it is')
    .option('--mode <octal>', 'who may read that file', parseMode, OWNER_ONLY)
    .option('--json', 'as JSON')
    .action(create);
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

async function create({ json, out, mode, ...options }: KeyOptions): Promise<void> {
  await using client = await connectKeys(cliPrincipal(options.tenant), keysOf(options));
  const expiresAt = options.days === undefined ? undefined : inDays(options.days);
  const wish = { name: options.name, roles: options.roles, expiresAt };
  if (out === undefined) {
    const { id, key } = await client.create(wish);
    process.stdout.write(json ? `${JSON.stringify({ id, key })}\n` : `${key}\n`);
    return;
  }
  const { id, kept } = await keepKey(client, wish, { file: out, mode }, systemClock.now());
  const told = kept ? `${out} holds a key that is good: ${id}` : `${out} holds a new key: ${id}`;
  process.stdout.write(json ? `${JSON.stringify({ id, file: out, kept })}\n` : `${told}\n`);
}

const OWNER_ONLY = 0o600;

type KeyOptions = {
  readonly name: string;
  readonly roles: AccessRole[];
  readonly tenant: string;
  readonly days?: number;
  readonly router?: boolean;
  readonly out?: string;
  readonly mode: number;
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

function parseMode(text: string): number {
  if (!/^[0-7]{3}$/.test(text)) throw new InvalidArgumentError('expected three octal digits, such as 640');
  return Number.parseInt(text, 8);
}
