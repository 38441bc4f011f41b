/** `burnline incidents` and `burnline silence`, against the running router. They ask and print; the router decides. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { prometheusDuration } from '#alerting/config/duration.ts';
import { fromApi, type Matcher, matcherText, parseMatcher, toApi } from '#alerting/matcher.ts';
import { systemClock } from '#kernel/clock.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { environment } from './config.ts';
import { askRouter, askRouterText, ROUTER_ENVIRONMENT } from './router-client.ts';
import {
  type IncidentView,
  incidentDetail,
  incidentPage,
  incidentShape,
  type SilenceView,
  silenceShape,
} from './router-wire.ts';
import { columns, headed, oneLine, paint, span, stamp } from './terminal.ts';

export type Json = { readonly json?: boolean };

const STATES = ['open', 'acknowledged', 'snoozed', 'resolved'] as const;
const COLOURS = { open: 'red', acknowledged: 'yellow', snoozed: 'yellow', resolved: 'green' } as const;

export function parseDuration(text: string): Milliseconds {
  const found = prometheusDuration(text);
  if (found === undefined || found === 0) throw new InvalidArgumentError('expected a duration such as 30m or 2h');
  return found;
}

/** Whoever sits there, unless the key knows better: the router then says so. */
export const BY = () => new Option('--by <name>', 'who answers; default: you, by USER').default(environment()['USER']);
export const JSON_OPTION = () => new Option('--json', 'as JSON');

export function addIncidentCommands(program: Command): void {
  const incidents = program.command('incidents').description('incidents of the running router: seen and answered');
  incidents
    .command('list', { isDefault: true })
    .description('newest first')
    .addOption(new Option('--state <state>', 'of this state alone; default: all that are not resolved').choices(STATES))
    .option('--all', 'resolved ones too')
    .option('--limit <count>', 'at most', parseLimit, 50)
    .addOption(JSON_OPTION())
    .action(list);
  incidents
    .command('show <id>')
    .description('one, by its number or id, with its timeline')
    .addOption(JSON_OPTION())
    .action(show);
  answerCommand(incidents, 'ack', 'acknowledge', 'you are on it: nobody else is woken');
  answerCommand(incidents, 'resolve', 'resolve', 'it is over');
  incidents
    .command('note <id> <text>')
    .description('writes it into the timeline')
    .addOption(BY())
    .addOption(JSON_OPTION())
    .action((id: string, text: string, options: Json & By) => give(id, 'notes', { text, by: options.by }, options));
  incidents
    .command('snooze <id>')
    .description('quiet for a while; then its steps begin again')
    .requiredOption('--for <duration>', 'such as 30m; at most 24h', parseDuration)
    .addOption(BY())
    .addOption(JSON_OPTION())
    .action((id: string, options: Json & By & { for: Milliseconds }) =>
      give(id, 'snooze', { minutes: Math.ceil(options.for / 60_000), by: options.by }, options),
    );
  incidents
    .command('report <id>')
    .description('the post-mortem as far as it can be written from what was recorded, in Markdown')
    .action(async (id: string) => {
      process.stdout.write(await askRouterText(`${pathOf(id)}/report`));
    });
  incidents.addHelpText('after', ROUTER_ENVIRONMENT);
}

type By = { readonly by?: string };

function answerCommand(incidents: Command, name: string, path: string, description: string): void {
  incidents
    .command(`${name} <id>`)
    .description(description)
    .addOption(BY())
    .addOption(JSON_OPTION())
    .action((id: string, options: Json & By) => give(id, path, { by: options.by }, options));
}

const pathOf = (id: string): string => `/api/v1/incidents/${encodeURIComponent(id.replace(/^#/, ''))}`;

async function give(id: string, path: string, body: object, options: Json): Promise<void> {
  const incident = await askRouter(`${pathOf(id)}/${path}`, incidentShape, { method: 'POST', body });
  process.stdout.write(options.json ? `${JSON.stringify(incident)}\n` : listed([incident]));
}

type ListOptions = Json & { readonly state?: (typeof STATES)[number]; readonly all?: boolean; readonly limit: number };

async function list({ state, all, limit, json }: ListOptions): Promise<void> {
  const found: IncidentView[] = [];
  for (let cursor = ''; found.length < limit; ) {
    const query = new URLSearchParams({ limit: '500', ...(state && { state }), ...(cursor && { cursor }) });
    const page = await askRouter(`/api/v1/incidents?${query}`, incidentPage);
    const wanted = page.items.filter((one) => state !== undefined || all || one.state !== 'resolved');
    found.push(...wanted.slice(0, limit - found.length));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else process.stdout.write(found.length === 0 ? 'There are no such incidents.\n' : listed(found));
}

function listed(incidents: readonly IncidentView[]): string {
  const now = systemClock.now();
  const rows = incidents.map((one) => [
    `#${one.number}`,
    one.state,
    one.severity,
    span((one.resolvedAt === null ? now : Date.parse(one.resolvedAt)) - Date.parse(one.openedAt)),
    oneLine(one.service),
    `${one.drill ? 'DRILL ' : ''}${oneLine(one.title)}`,
  ]);
  const [head = '', ...lines] = headed(['', 'STATE', 'SEVERITY', 'FOR', 'SERVICE', 'TITLE'], rows).split('\n');
  const painted = lines.map((line, i) => {
    const state = incidents[i]?.state;
    const colour = STATES.find((one) => one === state);
    return colour === undefined || state === undefined ? line : line.replace(state, paint(COLOURS[colour], state));
  });
  return [head, ...painted].join('\n');
}

async function show(id: string, { json }: Json): Promise<void> {
  const incident = await askRouter(pathOf(id), incidentDetail);
  if (json) {
    process.stdout.write(`${JSON.stringify(incident)}\n`);
    return;
  }
  const rows: [string, string | null][] = [
    ['opened', stamp(incident.openedAt)],
    ['policy', incident.policy],
    ['paged', incident.paged.join(', ') || null],
    ['acknowledged', incident.acknowledgedAt && `${stamp(incident.acknowledgedAt)} by ${incident.acknowledgedBy}`],
    ['snoozed until', incident.snoozedUntil && stamp(incident.snoozedUntil)],
    ['resolved', incident.resolvedAt && `${stamp(incident.resolvedAt)} by ${incident.resolvedBy ?? 'its alerts'}`],
    ['next step', incident.nextStepAt && stamp(incident.nextStepAt)],
    ['sent to', incident.told.join(', ') || null],
  ];
  const facts = columns(rows.flatMap(([name, value]) => (value ? [[`  ${name}`, oneLine(value)]] : [])));
  const timeline = columns(
    incident.timeline.map(({ at, kind, because }) => [`  ${stamp(at)}`, kind, oneLine(because)]),
  );
  process.stdout.write(`${listed([incident])}${facts}\n${timeline}`);
}

function parseLimit(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count;
  throw new InvalidArgumentError('expected a number from 1 to 10000');
}

export function addSilenceCommands(program: Command): void {
  const silence = program.command('silence').description('silences of the running router: made, listed, ended');
  silence
    .command('add')
    .argument('<matchers...>', 'such as alertname=Disk \'instance=~"web.*"\'', addMatcher)
    .description('nobody is told of alerts that match all of them')
    .requiredOption('--for <duration>', 'how long, such as 2h', parseDuration)
    .requiredOption('--comment <text>', 'why')
    .addOption(new Option('--by <name>', 'who makes it; default: you, by USER').default(environment()['USER'] ?? ''))
    .addOption(JSON_OPTION())
    .action(addSilence);
  silence
    .command('list', { isDefault: true })
    .description('those that hold or will hold')
    .argument('[matchers...]', 'those with these matchers alone', addMatcher)
    .option('--all', 'those that have ended too')
    .addOption(JSON_OPTION())
    .action(listSilences);
  silence
    .command('expire <ids...>')
    .description('ends them now')
    .addOption(JSON_OPTION())
    .action(async (ids: readonly string[], { json }: Json) => {
      for (const id of ids) await askRouterText(`/api/v2/silence/${encodeURIComponent(id)}`, { method: 'DELETE' });
      if (json) process.stdout.write(`${JSON.stringify({ expired: ids })}\n`);
      else for (const id of ids) process.stdout.write(`${id} has ended\n`);
    });
  silence.addHelpText('after', ROUTER_ENVIRONMENT);
}

type SilenceOptions = Json & { readonly for: Milliseconds; readonly comment: string; readonly by: string };

async function addSilence(matchers: readonly Matcher[], options: SilenceOptions): Promise<void> {
  const now = systemClock.now();
  const { silenceID: id } = await askRouter('/api/v2/silences', z.object({ silenceID: z.string() }), {
    method: 'POST',
    body: {
      matchers: matchers.map(toApi),
      startsAt: new Date(now).toISOString(),
      endsAt: new Date(now + options.for).toISOString(),
      createdBy: options.by,
      comment: options.comment,
    },
  });
  process.stdout.write(options.json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
}

function addMatcher(text: string, before: readonly Matcher[] = []): readonly Matcher[] {
  const parsed = parseMatcher(text, 'default');
  if (parsed.kind === 'fault') throw new InvalidArgumentError(parsed.message);
  return [...before, parsed.matcher];
}

type Listing = Json & { readonly all?: boolean };

async function listSilences(matchers: readonly Matcher[] | undefined, { all, json }: Listing): Promise<void> {
  const query = new URLSearchParams((matchers ?? []).map((one) => ['filter', matcherText(one)]));
  const silences = await askRouter(`/api/v2/silences?${query}`, z.array(silenceShape));
  const found = silences.filter(({ status }) => all || status.state !== 'expired');
  if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else process.stdout.write(found.length === 0 ? 'There are no such silences.\n' : silenceRows(found));
}

function silenceRows(silences: readonly SilenceView[]): string {
  const rows = silences.map((one) => [
    one.id,
    one.status.state,
    stamp(one.endsAt),
    oneLine(one.createdBy),
    oneLine(one.matchers.map(textOf).join(', ')),
    oneLine(one.comment),
  ]);
  return headed(['ID', 'STATE', 'UNTIL', 'BY', 'MATCHERS', 'COMMENT'], rows);
}

function textOf(matcher: SilenceView['matchers'][number]): string {
  const parsed = fromApi(matcher);
  return parsed.kind === 'matcher' ? matcherText(parsed.matcher) : matcher.name;
}
