/** `burnline changes`, against the running router: a pipeline says what it has released. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { askRouter, ROUTER_ENVIRONMENT } from './router-client.ts';
import { columns, oneLine, stamp } from './terminal.ts';

const change = z.object({
  id: z.string(),
  at: z.string(),
  summary: z.string(),
  source: z.string(),
  service: z.string().nullable(),
});
const made = change.extend({ told: z.array(z.string()) });
const page = z.object({ items: z.array(change), nextCursor: z.string().nullable() });

type Json = { readonly json?: boolean };
type Link = { readonly href: string; readonly text?: string };
type AddOptions = Json & {
  readonly service?: string;
  readonly source?: string;
  readonly at?: string;
  readonly key?: string;
  readonly link?: readonly Link[];
  readonly detail?: Readonly<Record<string, string>>;
};

const JSON_OPTION = () => new Option('--json', 'as JSON');

export function addChangeCommands(program: Command): void {
  const changes = program
    .command('changes')
    .description('releases and other changes: told to PagerDuty, and in the report of what breaks after them');
  changes
    .command('add <summary>')
    .description('something was released or changed')
    .option('--service <name>', 'of this service, as in its alerts; default: of no service alone')
    .option('--source <name>', 'where, such as the pipeline')
    .option('--at <moment>', 'RFC 3339; default: now')
    .option('--key <text>', 'such as the number of the run: what is told again under it is told once')
    .option('--link <url>', 'with words before it: text=https://…; several times', addLink)
    .option('--detail <name=value>', 'several times', addDetail)
    .addOption(JSON_OPTION())
    .action(add);
  changes.command('list', { isDefault: true }).description('the newest fifty').addOption(JSON_OPTION()).action(list);
  changes.addHelpText('after', ROUTER_ENVIRONMENT);
}

async function add(summary: string, { json, link: links, detail: details, ...given }: AddOptions): Promise<void> {
  const body = { summary, ...given, ...(links && { links }), ...(details && { details }) };
  const found = await askRouter('/api/v1/changes', made, { method: 'POST', body });
  if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else
    process.stdout.write(
      `${found.id} is told to ${found.told.join(', ') || 'nobody: no PagerDuty receiver is for it'}\n`,
    );
}

async function list({ json }: Json): Promise<void> {
  const { items } = await askRouter('/api/v1/changes', page);
  if (json) process.stdout.write(`${JSON.stringify(items)}\n`);
  else if (items.length === 0) process.stdout.write('There are no changes.\n');
  else {
    const rows = items.map((one) => [
      stamp(one.at),
      oneLine(one.service ?? ''),
      oneLine(one.source),
      oneLine(one.summary),
    ]);
    process.stdout.write(columns([['AT', 'SERVICE', 'SOURCE', 'SUMMARY'], ...rows]));
  }
}

function addLink(text: string, before: readonly Link[] = []): readonly Link[] {
  const [, words, href] = /^(?:([^=:]*)=)?(https?:\/\/.+)$/.exec(text) ?? [];
  if (href === undefined) throw new InvalidArgumentError('expected https://… or text=https://…');
  return [...before, words === undefined ? { href } : { href, text: words }];
}

function addDetail(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected name=value');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
