/**
 * `burnline drill`: a page that is an exercise, sent to the running router as Prometheus would, and followed until somebody
 * has acknowledged it. What is on paper about who is woken is only true when it was tried.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { increasingIds, systemRandom } from '#kernel/random.ts';
import { within as limited, onStopSignal } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { parseDuration } from './incident-commands.ts';
import { incidentById, makeTeller, type Teller } from './incident-teller.ts';
import { askRouter, askRouterText, ROUTER_ENVIRONMENT } from './router-client.ts';
import { leadsHere } from './router-links.ts';
import { type IncidentDetail, incidentPage, notificationPage } from './router-wire.ts';
import { oneLine, paint, span } from './terminal.ts';

type Options = {
  readonly service: string;
  readonly within: Milliseconds;
  readonly label: readonly (readonly [string, string])[];
  readonly json?: boolean;
};

const FAILED = 1;
const LOOK_EVERY = milliseconds(500);
/** Without an end it is missed after resolve_timeout, five minutes as a rule: it must not end before it is answered. */
const RENEW_EVERY = 60_000;
const RESOLVE_WITHIN = 15_000;

export function addDrillCommand(program: Command): void {
  program
    .command('drill')
    .description('wakes whoever is on call with a page that says it is an exercise, and waits until it is acknowledged')
    .requiredOption('--service <name>', 'of the page: labels service and sloth_service, by which it is routed')
    .option('--label <name=value>', 'another label, as often as needed', addLabel, [])
    .addOption(
      new Option('--within <duration>', 'how long it may take until somebody acknowledges')
        .argParser(parseDuration)
        .default(milliseconds(300_000), '5m'),
    )
    .option('--json', 'one JSON object at the end')
    .addHelpText('after', `${ROUTER_ENVIRONMENT}\n\nExit codes: 0 acknowledged in time, 1 not, 2 wrong usage.`)
    .action(drill);
}

function addLabel(text: string, before: Options['label']): Options['label'] {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('expected name=value');
  return [...before, [name, value]];
}

type Drill = { readonly id: string; readonly labels: Readonly<Record<string, string>>; readonly begun: Milliseconds };
type Result = {
  readonly acknowledged: boolean;
  /** Why not; undefined: it was. */
  readonly because: string | undefined;
  readonly incident: IncidentDetail | undefined;
};

async function drill(options: Options): Promise<void> {
  const stop = onStopSignal(systemClock, { ignoreTerminal: false, ignoreHangUp: false });
  const id = increasingIds(systemClock.now, systemRandom)();
  const labels = {
    ...Object.fromEntries(options.label),
    alertname: 'Drill',
    severity: 'critical',
    drill: 'true',
    // By which it is found again, whatever else is in its incident.
    drill_id: id,
    service: options.service,
    sloth_service: options.service,
  };
  const one: Drill = { id, labels, begun: systemClock.steady() };
  const say = (line: string) => void (options.json || process.stdout.write(`${line}\n`));
  const told = makeTeller(say);
  await post(one, false);
  say(`A drill for ${options.service} is sent; ${span(options.within)} to acknowledge it.`);
  let result: Result | undefined;
  let resolved = false;
  try {
    result = await follow(one, options.within, told, stop);
  } finally {
    // Also after a failure and Ctrl-C: nothing of it may go on waking people.
    await limited(systemClock, milliseconds(10_000), silentLog, 'the end of the drill', post(one, true));
  }
  if (result.incident !== undefined && !stop.aborted) resolved = await untilResolved(result.incident, told);
  await tellEnd(one, result, resolved, options.json ?? false);
  if (!result.acknowledged) process.exitCode = FAILED;
}

async function post({ labels }: Drill, isOver: boolean): Promise<void> {
  const annotations = { summary: `Drill: a test page for ${labels['service']}. Acknowledge it, and that is all.` };
  const now = new Date(systemClock.now()).toISOString();
  const alert = isOver ? { labels, annotations, startsAt: now, endsAt: now } : { labels, annotations };
  const path = '/api/v2/alerts';
  const response = await askRouterText(path, { method: 'POST', body: [alert] });
  if (response !== '') throw new Error(`the router answered ${response.slice(0, 200)}`);
}

/** Until it is acknowledged, or cannot be any more. */
async function follow(one: Drill, within: Milliseconds, told: Teller, stop: AbortSignal): Promise<Result> {
  let incident: IncidentDetail | undefined;
  let renewed = one.begun;
  const failed = (because: string): Result => ({ acknowledged: false, because, incident });
  while (systemClock.steady() - one.begun < within) {
    if (stop.aborted) return failed('it was broken off');
    if (systemClock.steady() - renewed >= RENEW_EVERY) {
      await post(one, false);
      renewed = systemClock.steady();
    }
    incident = incident === undefined ? await find(one) : await incidentById(incident.id);
    if (incident !== undefined) {
      told(incident);
      if (!incident.drill) return failed(`it joined #${incident.number}, which is real and open: nobody was woken`);
      if (incident.acknowledgedAt !== null) return { acknowledged: true, because: undefined, incident };
      if (incident.state === 'resolved') return failed('it was resolved without being acknowledged');
    }
    await systemClock.sleep(LOOK_EVERY, stop).catch(() => {});
  }
  if (incident !== undefined) return failed(`nobody acknowledged it within ${span(within)}`);
  return failed(
    `no incident was opened within ${span(within)}: is there a policy for the receiver of ${one.labels['service']}, and no silence or interval over it?`,
  );
}

/** Among those that are not resolved: the one that holds the drill's alert. */
async function find({ id, labels }: Drill): Promise<IncidentDetail | undefined> {
  for (const state of ['open', 'acknowledged', 'snoozed']) {
    const { items } = await askRouter(`/api/v1/incidents?state=${state}&limit=50`, incidentPage);
    for (const one of items) {
      if (!one.drill && one.service !== labels['service']) continue;
      const found = await incidentById(one.id);
      if (found.alertsTold.list.some((alert) => alert.labels['drill_id'] === id)) return found;
    }
  }
  return undefined;
}

async function untilResolved({ id, drill: isDrill }: IncidentDetail, told: Teller): Promise<boolean> {
  const begun = systemClock.steady();
  while (isDrill && systemClock.steady() - begun < RESOLVE_WITHIN) {
    const incident = await incidentById(id);
    told(incident);
    if (incident.state === 'resolved') return true;
    await systemClock.sleep(LOOK_EVERY);
  }
  return false;
}

async function tellEnd(one: Drill, result: Result, resolved: boolean, asJson: boolean): Promise<void> {
  const { incident, acknowledged, because } = result;
  const query = incident && new URLSearchParams({ incident: incident.id, limit: '100' });
  const sent = query === undefined ? [] : (await askRouter(`/api/v1/notifications?${query}`, notificationPage)).items;
  const deliveries = sent.map(({ destination, action, state, attempts, createdAt, finishedAt, error }) => ({
    ...{ destination, action, state, attempts, error },
    seconds: finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(createdAt)) / 1_000,
  }));
  if (asJson) {
    const external = incident?.links.external;
    const final = {
      acknowledged,
      because: because ?? null,
      by: incident?.acknowledgedBy ?? null,
      seconds: Math.round(systemClock.steady() - one.begun) / 1_000,
      incident: incident?.number ?? null,
      paged: incident?.paged ?? [],
      deliveries,
      resolved,
      linksReachable: external === undefined ? null : !leadsHere(external),
    };
    process.stdout.write(`${JSON.stringify(final)}\n`);
    return;
  }
  const waiting = deliveries.filter(({ state }) => state === 'pending' || state === 'sending');
  for (const { destination, attempts, error } of waiting) {
    process.stdout.write(`not delivered: ${destination} after ${attempts} attempt(s): ${oneLine(error ?? '')}\n`);
  }
  if (!acknowledged) process.stdout.write(`${paint('red', 'Failed')}: ${because}.\n`);
  else {
    const end = resolved ? 'it is resolved' : 'it resolves with the next look at its group';
    process.stdout.write(`${paint('green', 'Passed')}: acknowledged by ${incident?.acknowledgedBy}; ${end}.\n`);
  }
}
