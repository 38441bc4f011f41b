/** The router's files as its settings name them, and what of them is in force. */
import { makeLinks } from '#alerting/links.ts';
import type { Setup } from '#alerting/setup.ts';
import { Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type Config, routerAddress } from './config.ts';
import { type RouterFiles, readSetup, type SetupRead } from './router-files.ts';
import { deadLinks } from './router-links.ts';
import { sourcesOf } from './router-shipped.ts';

export interface SetupHolder {
  current(): Setup;
  /** @returns what is wrong with the new files; those before stay in force then. */
  reload(): Promise<string | undefined>;
}

export type HolderOptions = {
  readonly files: RouterFiles;
  readonly log: Log;
  readonly now: () => Milliseconds;
  /** New ones are in force; what follows from them. */
  readonly took: (setup: Setup) => Promise<void>;
};

/** @throws {Fault} when the first ones cannot be read. */
export function holdSetup({ files, log, now, took }: HolderOptions): SetupHolder {
  let setup = firstSetup(files, now(), log);
  return {
    current: () => setup,
    reload: async () => {
      const read = readSetup(files, now());
      if (read.kind === 'faults') {
        log.error({ faults: read.faults.slice(0, 20) }, 'the new files are refused; the ones before stay in force');
        return read.faults.join('; ');
      }
      setup = read.setup;
      tellWarnings(read, log);
      await took(setup);
      log.info({ version: setup.version }, 'the files were read again and are in force');
      return undefined;
    },
  };
}

export function prefixOf({ ROUTER_PREFIX: prefix, ROUTER_EXTERNAL_URL: external }: Config): string {
  const path = prefix ?? (external === undefined ? '' : new URL(external).pathname);
  return path.replace(/\/+$/, '');
}

function firstSetup(files: RouterFiles, now: Milliseconds, log: Log): Setup {
  const read = readSetup(files, now);
  if (read.kind === 'faults') {
    throw new Fault('router_files', `Cannot start: ${read.faults.length} fault(s)\n  ${read.faults.join('\n  ')}`);
  }
  tellWarnings(read, log);
  return read.setup;
}

function tellWarnings({ setup, warnings }: Extract<SetupRead, { kind: 'setup' }>, log: Log): void {
  for (const { field, message } of warnings) log.warn({ field }, `oncall.yaml: ${field}: ${message}`);
  const destination = deadLinks(setup);
  if (destination === undefined) return;
  const { external } = setup.links;
  log.warn(
    { destination },
    `links in messages lead to ${external}, which nobody reaches from elsewhere: set ROUTER_EXTERNAL_URL`,
  );
}

export function filesOf(config: Config, key: Secret): RouterFiles {
  const { host, port } = routerAddress(config);
  const external =
    config.ROUTER_EXTERNAL_URL ?? `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}${prefixOf(config)}`;
  return { ...sourcesOf(config), links: makeLinks(external, key) };
}
