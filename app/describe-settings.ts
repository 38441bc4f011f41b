/**
 * Writes what people read about the settings, from the table that the program reads: docs/configuration.md and
 * env.production.example. `node app/describe-settings.ts` writes them, a test fails when they are not what it would write.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project.ts';
import { SETTING_NAMES, type SettingName, setting } from './settings.ts';
import { COMPOSE_VARIABLES } from './settings-compose.ts';

type Group = { readonly title: string; readonly about: string; readonly names: RegExp };

/** A setting belongs to the first group that fits. */
export const GROUPS: readonly Group[] = [
  {
    title: 'Addresses',
    about: 'Everything listens on loopback unless told otherwise. Off loopback the document API asks for a key.',
    names: /^(API|METRICS)_(HOST|PORT)$/,
  },
  {
    title: 'Database',
    about: 'Without DATABASE_URL, role service keeps an embedded database in the state folder, for one process.',
    names: /^DATABASE_|^BURNLINE_STATE$/,
  },
  {
    title: 'Vendors',
    about:
      'LlamaParse parses, OpenAI or a compatible server embeds. `npm start` uses simulators, whatever keys are set.',
    names: /^(BURNLINE_VENDORS|LLAMA|OPENAI_|EMBEDDING_|VENDOR_|PARSER)/,
  },
  {
    title: 'Worker',
    about: 'How much is done at once, and for how long.',
    names: /^(WORKER_|STEP_|STOP_|CACHE$|CANARY_|RESTARTS_)/,
  },
  {
    title: 'Uploads and callers',
    about: 'What one caller may send, and how often.',
    names: /^(UPLOAD_|RATE_|TRUST_PROXY$)/,
  },
  {
    title: 'Access',
    about: 'API keys are made by `burnline keys create`. docs/access.md tells the rest.',
    names: /^(JWT_|IP_ALLOW_LIST$|INSECURE_)/,
  },
  {
    title: 'Router',
    about:
      'Alerts in, people woken. Flags are named as Alertmanager’s, so that it can take its place; `--cluster.*` is accepted.',
    names: /^(ROUTER_|DOCUMENTS_API_)/,
  },
  { title: 'Webhooks', about: 'Posts to an uploader’s own server.', names: /^WEBHOOK_/ },
  {
    title: 'Telemetry and logs',
    about: 'docs/telemetry.md tells what there is.',
    names: /^(OTEL_|METRICS$|TRACES(_|$)|LOG_)/,
  },
  { title: 'Simulators', about: 'The vendors on this machine. Not for production.', names: /^SIMULATORS_/ },
];

export const groupOf = (name: SettingName): Group | undefined => GROUPS.find(({ names }) => names.test(name));

/** As it is written in the environment; undefined where there is none. */
export function defaultOf(name: SettingName): string | undefined {
  const { data } = setting(name).schema.safeParse(undefined);
  if (data === undefined || (Array.isArray(data) && data.length === 0)) return undefined;
  return Array.isArray(data) ? data.join(',') : String(data);
}

const table = (names: readonly SettingName[]): string[] => [
  '| variable | flag | meaning | default | needed | roles |',
  '| --- | --- | --- | --- | --- | --- |',
  ...names.map((name) => {
    const { flag, help, needed, roles, secret } = setting(name);
    const code = (text: string | undefined) => (text === undefined ? '' : `\`${text}\``);
    const meaning = secret ? `${help} (secret)` : help;
    const cells = [code(name), code(flag), meaning, code(defaultOf(name)), needed ?? '', roles.join(', ')];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  }),
];

export function configurationPage(): string {
  return [
    '# Configuration',
    '',
    '<!-- Written by `node app/describe-settings.ts`. -->',
    '',
    'Every setting is an environment variable; some are flags too, and a flag goes before the variable. An empty variable',
    'counts as none. `burnline config check --role <role>` reads the environment as a role would and names every fault at once,',
    'with what was found and what would be right (exit code 1; `--json` for programs); a role does the same when it starts and',
    'ends with exit code 2. Secrets are never shown: not in a fault, not in a log. A variable of ours that nobody reads is',
    'warned about.',
    '',
    '`env.production.example` has all of them with their meaning, for api, worker and router on Postgres.',
    ...GROUPS.flatMap(({ title, about }) => {
      const names = SETTING_NAMES.filter((name) => groupOf(name)?.title === title);
      return ['', `## ${title}`, about, '', ...table(names)];
    }),
    '',
    '## Beside the settings',
    '`BURNLINE_URL` is the document API that commands ask (default: `http://127.0.0.1:8080`), `BURNLINE_ROUTER_URL` the router',
    '(default: `http://127.0.0.1:9093`), `BURNLINE_KEY` the key by which they ask; `burnline keys` opens the store itself where',
    'no service runs. `BURNLINE_SIMULATORS_URL` are the simulators of `burnline demo`, `BURNLINE_ROUTER_KEY` is the router’s key in',
    'a load test. `BURNLINE_CACHE` is where the image of an empty database and the tools of the tests are kept (default:',
    '`burnline` in the user’s cache folder).',
    '',
    'Behind a proxy, `TRUST_PROXY=on` believes the last address of `X-Forwarded-For`: the one that the nearest proxy wrote. What',
    'stands before it, a caller may have invented.',
    '',
  ].join('\n');
}

/** What production needs or wants otherwise than the default. */
const PRODUCTION: Readonly<Partial<Record<SettingName, string>>> = {
  API_HOST: '0.0.0.0',
  METRICS_HOST: '0.0.0.0',
  DATABASE_URL: '',
  LLAMA_CLOUD_API_KEY: '',
  OPENAI_API_KEY: '',
  WEBHOOK_SECRET: '',
  ROUTER_CONFIG_FILE: '/etc/burnline/alertmanager.yml',
};

export function productionExample(): string {
  const lines = [
    '# Burnline in production: api, worker and router on Postgres. Copy it, fill in what is empty, and check it:',
    '#   burnline config check --role api && burnline config check --role worker && burnline config check --role router',
    '# For docker compose copy it to .env; DATABASE_URL may stay empty there (docs/compose.md).',
    '# A line that is commented out shows the default. Written by `node app/describe-settings.ts`.',
  ];
  for (const { title } of GROUPS) {
    lines.push('', `# --- ${title} ---`);
    for (const name of SETTING_NAMES.filter((one) => groupOf(one)?.title === title)) lines.push(...exampleLines(name));
  }
  lines.push('', '# --- docker-compose.yml alone: no role reads these ---');
  for (const [name, { help, needed, default: usual }] of Object.entries(COMPOSE_VARIABLES)) {
    const state = needed ? 'Required by docker compose.' : `Optional. Default: ${usual ?? 'none'}.`;
    lines.push('', `# ${help}`, `# ${state}`, needed ? `${name}=` : `#${name}=${usual ?? ''}`);
  }
  return `${lines.join('\n')}\n`;
}

function exampleLines(name: SettingName): string[] {
  const { help, needed, roles, flag } = setting(name);
  const value = PRODUCTION[name];
  const state = needed === undefined ? 'Optional.' : `Required ${needed}.`;
  const facts = [state, `Default: ${defaultOf(name) ?? 'none'}.`, `Roles: ${roles.join(', ')}.`];
  const more = flag === undefined ? [] : [`Flag: ${flag}.`];
  const line = value === undefined ? `#${name}=${defaultOf(name) ?? ''}` : `${name}=${value}`;
  return ['', `# ${help}`, `# ${[...facts, ...more].join(' ')}`, line];
}

export const SETTINGS_FILES: readonly [file: string, make: () => string][] = [
  ['docs/configuration.md', configurationPage],
  ['env.production.example', productionExample],
];

if (import.meta.main) {
  for (const [file, make] of SETTINGS_FILES) writeFileSync(join(PROJECT_ROOT, file), make());
}
