/** The router's files as its settings name them, and what of them is in force. */
import { makeLinks } from '#alerting/links.ts';
import type { OncallWarning } from '#alerting/oncall/check.ts';
import type { Setup } from '#alerting/setup.ts';
import { Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type Config, routerAddress } from './config.ts';
import { type RouterFiles, readSetup } from './router-files.ts';
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
      tellWarnings(read.warnings, log);
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
  tellWarnings(read.warnings, log);
  return read.setup;
}

function tellWarnings(warnings: readonly OncallWarning[], log: Log): void {
  for (const { field, message } of warnings) log.warn({ field }, `oncall.yaml: ${field}: ${message}`);
}

/** @param listens where the server is bound, once it is. */
export function filesOf(config: Config, key: Secret, listens: () => string | undefined): RouterFiles {
  const external = (): string => {
    if (config.ROUTER_EXTERNAL_URL !== undefined) return config.ROUTER_EXTERNAL_URL;
    const { host, port } = routerAddress(config);
    const name = host === '0.0.0.0' ? 'localhost' : host;
    const bound = listens();
    return `http://${name}:${bound === undefined ? port : new URL(bound).port}${prefixOf(config)}`;
  };
  return { ...sourcesOf(config), links: makeLinks(external, key) };
}
