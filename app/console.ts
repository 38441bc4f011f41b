/** From the configuration to what the console's routes take. */
import { join } from 'node:path';
import type { ConsoleOptions } from '#console/console.ts';
import type { DocumentsSide } from '#console/documents.ts';
import type { Upstream } from '#console/upstream.ts';
import { http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Config, readDocumentsKey } from './config.ts';
import { PROJECT_ROOT, VERSION } from './project.ts';
import { simulatorsUrl } from './wiring.ts';

const ASKED = { http, timeout: milliseconds(5_000) };

type Wired = 'dist' | 'version' | 'embedded' | 'documents' | 'simulators' | 'links';

export function consoleOptions(config: Config, log: Log): Pick<ConsoleOptions, Wired> {
  return {
    dist: join(PROJECT_ROOT, 'console', 'dist'),
    version: VERSION,
    embedded: config.supervised,
    documents: documentsSide(config, log),
    simulators: simulatorsSide(config, log),
    links: { grafana: config.ROUTER_GRAFANA_URL ?? null, traces: config.ROUTER_TRACES_URL ?? null },
  };
}

function documentsSide(config: Config, log: Log): DocumentsSide | undefined {
  const { DOCUMENTS_API_URL: url, DOCUMENTS_API_KEY_FILE: file, DOCUMENTS_API_TENANT: tenant } = config;
  if (url === undefined) return undefined;
  const key = file === undefined ? config.secrets.DOCUMENTS_API_KEY : readDocumentsKey(file);
  return { api: { ...ASKED, what: 'The document API', url, key, gone: 'documents_unavailable', log }, tenant };
}

/** Under `npm start` alone: elsewhere nobody is to break a vendor by a click. */
function simulatorsSide(config: Config, log: Log): Upstream | undefined {
  if (!config.supervised || config.BURNLINE_VENDORS === 'real') return undefined;
  return { ...ASKED, what: 'The simulators', url: simulatorsUrl(config), key: undefined, gone: 'unavailable', log };
}
