/** What a deployment asks of the program besides its roles: to bring databases up to date. */
import type { Command } from 'commander';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { silentLog } from '#kernel/log.ts';
import { storeConfig } from './keys-client.ts';

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
