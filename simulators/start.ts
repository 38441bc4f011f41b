/**
 * The vendors, as real servers: one for HTTP (LlamaParse, OpenAI, Slack, PagerDuty and the control routes), one for
 * SMTP. They share nothing with the code under test but the wire.
 */
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Clock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { type Http, http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { type Random, seededRandom, systemRandom } from '#kernel/random.ts';
import { mebibytes } from '#kernel/units.ts';
import { makeFaultBoard } from './fault-board.ts';
import { makeInbox } from './inbox.ts';
import type { LatencyProfile } from './latency.ts';
import type { Stage } from './stage.ts';
import { makeStats } from './stats.ts';
import { controlRoutes, problem } from './vendors/control.ts';
import { llamaparseRoutes } from './vendors/llamaparse.ts';
import type { Parser } from './vendors/llamaparse-run.ts';
import { localParser } from './vendors/local-parser.ts';
import { openaiRoutes } from './vendors/openai.ts';
import { pagerdutyRoutes } from './vendors/pagerduty.ts';
import { makeWebhooks, peopleRoutes } from './vendors/pagerduty-people.ts';
import { slackRoutes } from './vendors/slack.ts';
import { listenSmtp } from './vendors/smtp.ts';

const BODY_LIMIT = mebibytes(2);
/** A client that sends its request slower than this is cut off; an upload of 60 MB takes seconds on loopback. */
const REQUEST_TIMEOUT = 120_000;

export type SimulatorOptions = {
  readonly host: string;
  /** 0 for a free one, also for `smtpPort`. */
  readonly port: number;
  readonly smtpPort: number;
  /** Where LlamaParse keeps its jobs. One running simulator per folder. */
  readonly folder: string;
  /** Of the faults and the answer times. */
  readonly seed: number;
  readonly latency: LatencyProfile;
  readonly clock: Clock;
  /** Of ids. Never seeded by `seed`: a restart must not give an old job's id again. */
  readonly random?: Random;
  readonly log: Log;
  /** The local parsers in a child process, unless given. */
  readonly parser?: Parser | undefined;
  /** For webhooks. */
  readonly http?: Http;
};

export type Simulators = {
  readonly url: string;
  readonly smtpPort: number;
  /** Never waits for a client: hanging requests are cut, unfinished jobs stay on disk for the next start. */
  close(): Promise<void>;
};

/** @throws {Fault} `port_taken` */
export async function startSimulators(options: SimulatorOptions): Promise<Simulators> {
  const { host, clock, log } = options;
  const closing = new AbortController();
  const stage: Stage = {
    clock,
    log,
    random: options.random ?? systemRandom,
    weather: seededRandom(options.seed),
    http: options.http ?? http,
    latency: options.latency,
    faults: makeFaultBoard(options.seed),
    stats: makeStats(),
    inbox: makeInbox(clock),
    closing: closing.signal,
  };
  await using undo = new AsyncDisposableStack();
  undo.defer(() => closing.abort(new Error('the simulators are closing')));
  const parser = options.parser ? { parse: options.parser, close: async () => {} } : localParser(clock);
  undo.defer(parser.close);
  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true, requestTimeout: REQUEST_TIMEOUT });
  undo.defer(async () => await app.close());
  takeAnyAsJson(app);
  const settle = await mountVendors(app, stage, options, parser.parse);
  await listening(app.listen({ host, port: options.port }), 'HTTP', options.port);
  const smtp = await listening(listenSmtp(stage, host, options.smtpPort), 'SMTP', options.smtpPort);
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  log.info({ url, smtpPort: smtp.port, latency: options.latency, seed: options.seed }, 'Simulators are listening');
  undo.move();
  return {
    url,
    smtpPort: smtp.port,
    close: async () => {
      closing.abort(new Error('the simulators are closing'));
      await Promise.all([app.close(), smtp.close()]);
      await settle();
      await parser.close();
    },
  };
}

async function mountVendors(
  app: FastifyInstance,
  stage: Stage,
  options: SimulatorOptions,
  parser: Parser,
): Promise<() => Promise<void>> {
  let settle = async () => {};
  app.setErrorHandler(async (error: { statusCode?: number; message: string }, _request, reply) =>
    problem(reply, error.statusCode ?? 500, error.message),
  );
  app.setNotFoundHandler(async (request, reply) =>
    problem(reply, 404, `Cannot find ${request.method} ${request.url.split('?')[0]}`),
  );
  controlRoutes(app, stage);
  await app.register(
    async (scope) => {
      settle = await llamaparseRoutes(scope, stage, join(options.folder, 'llamaparse'), parser);
    },
    { prefix: '/llamaparse/api/v2/parse' },
  );
  await app.register(async (scope) => await openaiRoutes(scope, stage), { prefix: '/openai/v1' });
  await app.register(async (scope) => slackRoutes(scope, stage), { prefix: '/slack' });
  await app.register(
    async (scope) => {
      const webhooks = makeWebhooks(stage);
      peopleRoutes(app, webhooks, pagerdutyRoutes(scope, stage, webhooks), stage);
    },
    { prefix: '/pagerduty/v2' },
  );
  return settle;
}

/** Nobody remembers curl's header: a body of any type is read as JSON. Vendors with another wire take their own. */
function takeAnyAsJson(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch (error) {
      done(Object.assign(error as Error, { statusCode: 400 }));
    }
  });
}

async function listening<T>(start: Promise<T>, name: string, port: number): Promise<T> {
  try {
    return await start;
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'EADDRINUSE') throw cause;
    throw new Fault('port_taken', `Cannot listen for ${name} on port ${port}: another program does`, { cause });
  }
}
