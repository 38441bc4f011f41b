/** `burnline oncall override`: who takes over a shift, asked of the running router. It prints; the router decides. */
import { type Command, Option } from 'commander';
import { systemClock } from '#kernel/clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { BY, JSON_OPTION, type Json, parseDuration } from './incident-commands.ts';
import { askRouter, askRouterText, ROUTER_ENVIRONMENT } from './router-client.ts';
import { type OverrideView, overrideShape, overridesByCalendar } from './router-wire.ts';
import { parseAt } from './slo-source.ts';
import { headed, oneLine, stamp } from './terminal.ts';

/** The most that the router shows of its calendar at once. */
const AHEAD = milliseconds(62 * 86_400_000);
const PATH = '/api/v1/oncall/overrides';

export function addOverrideCommands(oncall: Command): void {
  const override = oncall.command('override').description('who takes over a shift: made, listed, ended');
  override
    .command('add')
    .description('the person is on call in place of whoever the schedule has')
    .argument('<schedule>', 'its name in oncall.yaml')
    .argument('<person>', 'as oncall.yaml names them')
    .option('--from <moment>', 'RFC 3339; default: now', parseAt)
    .addOption(new Option('--for <duration>', 'how long, such as 2h').argParser(parseDuration).conflicts('until'))
    .addOption(new Option('--until <moment>', 'RFC 3339, in place of --for').argParser(parseAt))
    .option('--because <text>', 'why')
    .addOption(BY())
    .addOption(JSON_OPTION())
    .action(add);
  override
    .command('list', { isDefault: true })
    .description('those that hold, or will within 62 days')
    .option('--schedule <name>', 'of this one alone')
    .addOption(JSON_OPTION())
    .action(list);
  override
    .command('end <ids...>')
    .description('they hold no more; those of oncall.yaml end there')
    .addOption(BY())
    .addOption(JSON_OPTION())
    .action(end);
  override.addHelpText('after', ROUTER_ENVIRONMENT);
}

type Adding = Json & {
  readonly from?: Milliseconds;
  readonly for?: Milliseconds;
  readonly until?: Milliseconds;
  readonly because?: string;
  readonly by?: string;
};

async function add(schedule: string, person: string, options: Adding, command: Command): Promise<void> {
  const from = options.from ?? systemClock.now();
  const to = options.until ?? (options.for === undefined ? undefined : milliseconds(from + options.for));
  if (to === undefined) return command.error("error: say how long: --for 2h, or --until '2026-03-01T09:00:00Z'");
  const made = await askRouter(PATH, overrideShape, {
    method: 'POST',
    body: {
      ...{ schedule, person, from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      ...(options.because === undefined ? {} : { because: options.because }),
      ...(options.by === undefined ? {} : { by: options.by }),
    },
  });
  if (options.json) process.stdout.write(`${JSON.stringify(made)}\n`);
  else process.stdout.write(`${made.id}  ${oneLine(made.displayName)} has ${oneLine(schedule)} ${timesOf(made)}\n`);
}

const timesOf = ({ from, to }: OverrideView): string => `from ${stamp(from)} to ${stamp(to)}`;

async function list({ schedule, json }: Json & { readonly schedule?: string }): Promise<void> {
  const now = systemClock.now();
  const query = new URLSearchParams({
    ...{ from: new Date(now).toISOString(), to: new Date(now + AHEAD).toISOString() },
    ...(schedule === undefined ? {} : { schedule }),
  });
  const calendars = await askRouter(`/api/v1/oncall/calendar?${query}`, overridesByCalendar);
  const found = calendars.flatMap(({ overrides }) => overrides);
  if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else process.stdout.write(found.length === 0 ? 'Nobody takes over a shift.\n' : rows(found));
}

function rows(overrides: readonly OverrideView[]): string {
  const lines = overrides.map((one) => [
    one.id ?? 'oncall.yaml',
    oneLine(one.schedule),
    oneLine(one.displayName),
    ...[stamp(one.from), stamp(one.to)],
    oneLine(one.createdBy ?? ''),
    oneLine(one.because ?? ''),
  ]);
  return headed(['ID', 'SCHEDULE', 'WHO', 'FROM', 'TO', 'BY', 'BECAUSE'], lines);
}

async function end(ids: readonly string[], { by, json }: Json & { readonly by?: string }): Promise<void> {
  const query = by === undefined ? '' : `?${new URLSearchParams({ by })}`;
  for (const id of ids) await askRouterText(`${PATH}/${encodeURIComponent(id)}${query}`, { method: 'DELETE' });
  if (json) process.stdout.write(`${JSON.stringify({ ended: ids })}\n`);
  else for (const id of ids) process.stdout.write(`${id} holds no more\n`);
}
