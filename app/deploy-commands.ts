/** What a deployment asks of the program besides its roles: to bring databases up to date, and whether a role is ready. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Config, readConfig, routerAddress } from './config.ts';
import { storeConfig } from './keys-client.ts';
import { prefixOf } from './router-setup.ts';
import { readWebConfig } from './web-config.ts';

const READY_LIMIT = milliseconds(4_000);

export function addDeployCommands(program: Command): void {
  program
    .command('migrate')
    .description(
      'brings the databases of DATABASE_URL and ROUTER_DATABASE_URL up to date, before the roles of a release',
    )
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const done = await migrateAll();
      if (json) process.stdout.write(`${JSON.stringify(done)}\n`);
      else
        for (const { name, migrations } of done)
          process.stdout.write(`${name}: up to date, ${migrations} migrations\n`);
    });
  program
    .command('health')
    .description('asks a role on this machine whether it is ready; exit code 1 if it is not')
    .argument('[role]', `${CHECKED.join(', ')}; default: the one that this container runs`, parseRole)
    .action(async (given: CheckedRole | undefined) => {
      const role = given ?? roleOfContainer();
      const wrong = await unready(role);
      process.stdout.write(wrong === undefined ? `${role} is ready\n` : `${role} is not ready: ${wrong}\n`);
      process.exitCode = wrong === undefined ? 0 : 1;
    });
}

type Migrated = { readonly name: string; readonly migrations: number };

/** One after the other. @throws {Fault} when a database cannot be reached, or when neither is named. */
async function migrateAll(): Promise<Migrated[]> {
  const config = storeConfig();
  const { migrationsOf, openRouterDatabase, openServiceDatabase } = await import('./database.ts');
  const databases = [
    { name: 'service', variable: 'DATABASE_URL', open: openServiceDatabase },
    { name: 'router', variable: 'ROUTER_DATABASE_URL', open: openRouterDatabase },
  ] as const;
  const named = databases.filter(({ variable }) => config.secrets[variable] !== undefined);
  if (named.length === 0) {
    throw new Fault(
      'config',
      'Cannot migrate: neither DATABASE_URL nor ROUTER_DATABASE_URL is set (embedded databases migrate themselves)',
    );
  }
  const done: Migrated[] = [];
  for (const { name, open } of named) {
    const db = await open(config, systemClock, silentLog);
    await db.close();
    done.push({ name, migrations: migrationsOf(name).length });
  }
  return done;
}

const CHECKED = ['api', 'worker', 'service', 'router', 'simulators'] as const;
type CheckedRole = (typeof CHECKED)[number];
const isChecked = (text: string): text is CheckedRole => CHECKED.some((role) => role === text);

function parseRole(text: string): CheckedRole {
  if (!isChecked(text)) throw new InvalidArgumentError(`expected one of ${CHECKED.join(', ')}`);
  return text;
}

/** One image plays every role: its first process knows which. */
function roleOfContainer(): CheckedRole {
  const words = readFileSync('/proc/1/cmdline', 'utf8').split('\0');
  const role = words.slice(words.findIndex((word) => /\bburnline$/.test(word)) + 1).find(isChecked);
  if (role === undefined) throw new Fault('usage', 'Cannot tell which role: name it, as in "burnline health api"');
  return role;
}

/** @returns why not. */
async function unready(role: CheckedRole): Promise<string | undefined> {
  const outcome = readConfig(role);
  if (outcome.kind === 'faults')
    return outcome.faults.map(({ setting, message }) => `${setting} ${message}`).join('; ');
  try {
    const url = readyUrl(role, outcome.config);
    const status = url.startsWith('https:')
      ? await statusOfTls(url)
      : (await http(url, { timeout: READY_LIMIT })).status;
    return status === 200 ? undefined : `it answers ${status}`;
  } catch (error) {
    return describe(error);
  }
}

function readyUrl(role: CheckedRole, config: Config): string {
  switch (role) {
    case 'api':
    case 'service':
      return `http://${reachable(config.API_HOST)}:${config.API_PORT}/readyz`;
    case 'worker':
      return `http://${reachable(config.METRICS_HOST)}:${config.METRICS_PORT}/readyz`;
    case 'simulators':
      return `http://${reachable(config.SIMULATORS_HOST)}:${config.SIMULATORS_PORT}/healthz`;
    case 'router': {
      const { host, port } = routerAddress(config);
      const { ROUTER_WEB_CONFIG_FILE: web } = config;
      const scheme = web !== undefined && readWebConfig(web).tls !== undefined ? 'https' : 'http';
      return `${scheme}://${reachable(host)}:${port}${prefixOf(config)}/-/ready`;
    }
    default:
      return role satisfies never;
  }
}

/** A certificate is for the name by which others know it, and this asks on the machine itself: so it is not looked at. */
async function statusOfTls(url: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const asked = request(url, { rejectUnauthorized: false, timeout: READY_LIMIT }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.once('error', reject).end();
  });
}

/** Where a server that listens everywhere is reached from its own machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
