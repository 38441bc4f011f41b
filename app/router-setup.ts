/** The router's files as its settings name them, and what of them is in force. */
import { makeLinks } from '#alerting/links.ts';
import type { MatcherMode } from '#alerting/matcher.ts';
import type { Setup } from '#alerting/setup.ts';
import { Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Secret } from '#kernel/secret.ts';
import { type Config, routerAddress } from './config.ts';
import { type RouterFiles, readSetup } from './router-files.ts';
import { shippedFiles } from './router-shipped.ts';

export interface SetupHolder {
  current(): Setup;
  /** @returns what is wrong with the new files; those before stay in force then. */
  reload(): Promise<string | undefined>;
}

/** @param took is done before the new ones are in force. @throws {Fault} when the first ones cannot be read. */
export function holdSetup(files: RouterFiles, log: Log, took: (setup: Setup) => Promise<void>): SetupHolder {
  let setup = firstSetup(files);
  return {
    current: () => setup,
    reload: async () => {
      const read = readSetup(files);
      if (read.kind === 'faults') {
        log.error({ faults: read.faults.slice(0, 20) }, 'the new files are refused; the ones before stay in force');
        return read.faults.join('; ');
      }
      setup = read.setup;
      await took(setup);
      log.info({ version: setup.version }, 'the files were read again and are in force');
      return undefined;
    },
  };
}

export const modeOf = ({ ROUTER_FEATURES: features }: Config): MatcherMode =>
  features.includes('classic-mode') ? 'classic' : features.includes('utf8-strict-mode') ? 'utf8' : 'default';

export function prefixOf({ ROUTER_PREFIX: prefix, ROUTER_EXTERNAL_URL: external }: Config): string {
  const path = prefix ?? (external === undefined ? '' : new URL(external).pathname);
  return path.replace(/\/+$/, '');
}

function firstSetup(files: RouterFiles): Setup {
  const read = readSetup(files);
  if (read.kind === 'setup') return read.setup;
  throw new Fault('router_files', `Cannot start: ${read.faults.length} fault(s)\n  ${read.faults.join('\n  ')}`);
}

export function filesOf(config: Config, key: Secret): RouterFiles {
  const { host, port } = routerAddress(config);
  const external =
    config.ROUTER_EXTERNAL_URL ?? `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}${prefixOf(config)}`;
  const shipped = shippedFiles(config);
  const { ROUTER_CONFIG_FILE: file, ROUTER_ONCALL_FILE: oncall } = config;
  const nobody = file === undefined ? shipped.oncall : '';
  return {
    config: file === undefined ? { shipped: shipped.config } : { file },
    oncall: oncall === undefined ? { shipped: nobody } : { file: oncall },
    mode: modeOf(config),
    links: makeLinks(external, key),
  };
}
