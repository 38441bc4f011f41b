/**
 * `npm run demo`: a bad quarter of an hour on a running embedded stack, from a good minute to the report. LlamaParse is
 * broken, the page is awaited in every mailbox, acknowledged, LlamaParse is mended, and the incident resolves by itself.
 */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { within as limited, onStopSignal } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { environment } from './config.ts';
import { parseDuration } from './incident-commands.ts';
import { incidentById, makeTeller } from './incident-teller.ts';
import { askRouter, askRouterText, documentsUrl, ROUTER_ENVIRONMENT, urlOf } from './router-client.ts';
import { type IncidentView, incidentPage, incidentShape } from './router-wire.ts';
import { oneLine, paint, span } from './terminal.ts';

const FAILED = 1;
const LOOK_EVERY = milliseconds(500);
const DOCUMENT_EVERY = milliseconds(1_000);
const TIMEOUT = milliseconds(10_000);
const WARM_WITHIN = milliseconds(120_000);
/** So many attempts that went well, and a total outage is beyond doubt within half a minute. */
const WARM_ATTEMPTS = 20;
const CHANNELS = ['pagerduty', 'slack', 'email'] as const;

const attempts = z.array(z.looseObject({ id: z.string(), total: z.number() }));
const mailbox = z.array(z.object({ at: z.string(), body: z.unknown() }));

type Options = { readonly pageWithin: Milliseconds; readonly resolveWithin: Milliseconds };

export function addDemoCommand(program: Command): void {
  const limit = (flag: string, help: string, usual: number, text: string) =>
    new Option(`${flag} <duration>`, help).argParser(parseDuration).default(milliseconds(usual), text);
  program
    .command('demo')
    .description('breaks LlamaParse in a running `npm start`, waits for the page, acknowledges, mends, and reports')
    .addOption(limit('--page-within', 'how long the page may take', 120_000, '2m'))
    .addOption(limit('--resolve-within', 'how long it may take until all is well again', 1_200_000, '20m'))
    .addHelpText(
      'after',
      `${ROUTER_ENVIRONMENT}
  BURNLINE_URL          the document API; default: http://127.0.0.1:8080
  BURNLINE_SIMULATORS_URL  the vendors’ simulators; default: http://127.0.0.1:8025

Exit codes: 0 all of it happened, 1 not, 2 wrong usage.`,
    )
    .action(demo);
}

const simulatorsUrl = (): string => urlOf('BURNLINE_SIMULATORS_URL', 'http://127.0.0.1:8025');
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function demo(options: Options): Promise<void> {
  const stop = onStopSignal(systemClock, { ignoreTerminal: false, ignoreHangUp: false });
  await assertReady();
  const over = new AbortController();
  void sendDocuments(AbortSignal.any([stop, over.signal]));
  let isBroken = false;
  try {
    say('A document a second is sent; LlamaParse answers as it should.');
    await until('the watch to see what is good', WARM_WITHIN, stop, async () => (await isWarm()) || undefined);
    isBroken = true;
    const began = systemClock.now();
    await setFault(true);
    say(paint('red', 'LlamaParse is broken: it answers 500 to everything.'));
    const incident = await until('the page', options.pageWithin, stop, () => findPaged(began));
    say(`It is in ${CHANNELS.join(', ')} after ${span(systemClock.now() - began)}.`);
    const told = makeTeller(say);
    told(await incidentById(incident.id));
    const by = environment()['USER'] ?? 'demo';
    await askRouter(`/api/v1/incidents/${incident.id}/acknowledge`, incidentShape, { method: 'POST', body: { by } });
    await setFault(false);
    isBroken = false;
    say(paint('green', 'It is acknowledged, and LlamaParse is mended. Documents go on, until it has resolved itself.'));
    await until('the incident to resolve', options.resolveWithin, stop, async () => {
      const now = await incidentById(incident.id);
      told(now);
      return now.state === 'resolved' || undefined;
    });
    say('');
    process.stdout.write(await askRouterText(`/api/v1/incidents/${incident.id}/report`));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'demo_failed') throw error;
    say(`${paint('red', 'Failed')}: ${error.message}.`);
    process.exitCode = FAILED;
  } finally {
    over.abort();
    // Also after a failure and Ctrl-C: nobody wants to look for a fault that a demonstration left behind.
    const mend = async () => {
      if (isBroken) await setFault(false);
    };
    await limited(systemClock, TIMEOUT, silentLog, 'the end of the demonstration', mend());
  }
}

/** @throws {Fault} saying what is missing, or what a demonstration would be mixed up with. */
async function assertReady(): Promise<void> {
  for (const [what, url] of [
    ['the document API', `${documentsUrl()}/healthz`],
    ['the vendors’ simulators', `${simulatorsUrl()}/inbox`],
  ] as const) {
    const answer = await http(url, { timeout: TIMEOUT }).catch(() => undefined);
    if (!answer?.ok) throw new Fault('demo_unready', `Cannot reach ${what} at ${url}: run \`npm start\` beside this`);
  }
  const [open] = (await latestIncidents()).filter(({ state }) => state !== 'resolved');
  if (open === undefined) return;
  const what = `incident #${open.number} (${oneLine(open.title)}) is ${open.state}`;
  throw new Fault('demo_unready', `The demonstration would be mixed up with what is broken: ${what}; resolve it first`);
}

const latestIncidents = async (): Promise<readonly IncidentView[]> =>
  (await askRouter('/api/v1/incidents?limit=50', incidentPage)).items;

/** Steady, small, each new: nothing of it may come from a cache. */
async function sendDocuments(stop: AbortSignal): Promise<void> {
  for (let sent = 0; !stop.aborted; sent++) {
    // One that is refused is no news here: the router will say what matters.
    void sendDocument(sent).catch(() => {});
    await systemClock.sleep(DOCUMENT_EVERY, stop).catch(() => {});
  }
}

async function sendDocument(number: number): Promise<void> {
  const key = environment()['BURNLINE_KEY'];
  const body = new FormData();
  body.set('file', new Blob([`Document ${number} of a demonstration.`], { type: 'text/plain' }), 'demo.txt');
  const headers = { 'cache-control': 'no-cache', ...(key ? { authorization: `Bearer ${key}` } : {}) };
  const answer = await http(`${documentsUrl()}/v1/documents`, { method: 'POST', body, headers, timeout: TIMEOUT });
  await answer.body?.cancel();
}

async function isWarm(): Promise<boolean> {
  const slos = await askRouter('/api/v1/slos', attempts);
  return slos.some(({ id, total }) => id.endsWith('step-attempts') && total >= WARM_ATTEMPTS);
}

async function setFault(isBroken: boolean): Promise<void> {
  const answer = await http(`${simulatorsUrl()}/faults/llamaparse`, {
    timeout: TIMEOUT,
    ...(isBroken
      ? {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ errorRate: 1, status: 500 }),
        }
      : { method: 'DELETE' }),
  });
  if (!answer.ok) throw new Fault('demo_failed', `the simulators answered ${answer.status} to a fault`);
}

/** The incident of this outage, as soon as it is in every mailbox. */
async function findPaged(began: Milliseconds): Promise<IncidentView | undefined> {
  const found = (await latestIncidents()).find(
    ({ severity, openedAt }) => severity === 'critical' && Date.parse(openedAt) >= began,
  );
  if (found === undefined) return undefined;
  const arrived = await Promise.all(CHANNELS.map((channel) => isIn(channel, found)));
  return arrived.every(Boolean) ? found : undefined;
}

async function isIn(channel: (typeof CHANNELS)[number], { id, openedAt }: IncidentView): Promise<boolean> {
  const answer = await http(`${simulatorsUrl()}/inbox?channel=${channel}`, { timeout: TIMEOUT });
  const mails = mailbox.parse(await answer.json());
  return mails.some(({ at, body }) => at >= openedAt && JSON.stringify(body).includes(id));
}

/** @throws {Fault} `demo_failed`, when it does not come in time, or somebody breaks it off. */
async function until<T>(
  what: string,
  limit: Milliseconds,
  stop: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (const began = systemClock.steady(); systemClock.steady() - began < limit; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (stop.aborted) throw new Fault('demo_failed', 'it was broken off');
    await systemClock.sleep(LOOK_EVERY, stop).catch(() => {});
  }
  throw new Fault('demo_failed', `waited ${span(limit)} for ${what}, and it did not come`);
}
