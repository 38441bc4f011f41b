/** The router's files as its settings name them, and what of them is in force. */
import type { LinkMaker } from '#alerting/compose.ts';
import type { OncallWarning } from '#alerting/oncall/check.ts';
import type { StoredOverride } from '#alerting/oncall/override.ts';
import { type Setup, withOverrides } from '#alerting/setup.ts';
import { Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Config } from './config.ts';
import { type RouterFiles, readSetup } from './router-files.ts';
import { deadLinks } from './router-links.ts';

export interface SetupHolder {
  current(): Setup;
  /** @returns what is wrong with the new files; those before stay in force then. */
  reload(): Promise<string | undefined>;
  /** On top of the files, these ones alone. */
  override(overrides: readonly StoredOverride[]): void;
  /** What could not follow from the files in force, since the store was away, is tried again. */
  catchUp(): Promise<void>;
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
  let ofFiles = firstSetup(files, now(), log);
  let setup = ofFiles;
  let overrides: readonly StoredOverride[] = [];
  let isOwed = false;
  const follow = async () => {
    isOwed = true;
    const followed = ofFiles;
    await took(setup);
    isOwed = followed !== ofFiles;
  };
  return {
    current: () => setup,
    override: (given) => {
      overrides = given;
      setup = withOverrides(ofFiles, overrides);
    },
    catchUp: async () => {
      if (!isOwed) return;
      await follow();
      log.info({ version: setup.version }, 'what follows from the files in force is done');
    },
    reload: async () => {
      const read = readSetup(files, now());
      if (read.kind === 'faults') {
        log.error({ faults: read.faults.slice(0, 20) }, 'the new files are refused; the ones before stay in force');
        return read.faults.join('; ');
      }
      ofFiles = read.setup;
      setup = withOverrides(ofFiles, overrides);
      tellWarnings(read.warnings, log);
      tellDeadLinks(setup, log);
      await follow();
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

/** Once there is an address to make links of. */
export function tellDeadLinks(setup: Setup, log: Log): void {
  const destination = deadLinks(setup);
  if (destination === undefined) return;
  const { external } = setup.links;
  log.warn(
    { destination },
    `links in messages lead to ${external}, which nobody reaches from elsewhere: set ROUTER_EXTERNAL_URL`,
  );
}

/** The head of every link. @param bound where it listens. */
export function externalUrl(config: Config, bound: string): string {
  if (config.ROUTER_EXTERNAL_URL !== undefined) return config.ROUTER_EXTERNAL_URL;
  return `${bound.replace('//0.0.0.0:', '//localhost:')}${prefixOf(config)}`;
}

export type LateLinks = LinkMaker & { become(made: LinkMaker): void };

/** The files are read before there are an address and a key to make links of; no link is made until then. */
export function lateLinks(): LateLinks {
  let links: LinkMaker | undefined;
  const made = (): LinkMaker => {
    if (links === undefined) throw new Error('a link before there is a key to sign it with');
    return links;
  };
  return {
    get external() {
      return made().external;
    },
    sign: (...what) => made().sign(...what),
    become: (given) => {
      links = given;
    },
  };
}
