/**
 * Those who are told: servers that speak Slack's webhooks, PagerDuty's Events API v2, Alertmanager's webhooks and SMTP, and
 * write down whatever arrives, answered or not. A trap calls when a message is there and before it is answered.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

export const CHANNELS = ['slack', 'pagerduty', 'webhook', 'email'] as const;
export type Channel = (typeof CHANNELS)[number];
export type Arrived = {
  readonly at: number;
  readonly channel: Channel;
  /** The name in its address: `pager-0`. */
  readonly target: string;
  /** PagerDuty's dedup key, the mail's Message-ID, the webhook's Idempotency-Key; Slack has none. */
  readonly key: string;
  readonly action: 'trigger' | 'acknowledge' | 'resolve' | 'other';
  /** All that it says, links apart. */
  readonly text: string;
  readonly mayRepeat: boolean;
};

export type Receivers = AsyncDisposable & {
  readonly url: string;
  readonly smtp: string;
  readonly arrived: readonly Arrived[];
  /** The next message of a channel: `caught` is given the sender's port before it is answered. */
  trap(channel: Channel, limit: number, caught: (senderPort: number) => void): Promise<Arrived | undefined>;
  /** Answers 503 or 451, and does not take what comes, for so long. */
  failFor(channel: Channel, ms: number): void;
  /** How often it has done so. */
  refused(): number;
};

type Trap = { readonly channel: Channel; readonly caught: (port: number, one: Arrived) => void };

export async function startReceivers(): Promise<Receivers> {
  const arrived: Arrived[] = [];
  const failing = new Map<Channel, number>();
  let refused = 0;
  let trap: Trap | undefined;
  const fails = (channel: Channel): boolean => {
    const failed = performance.now() < (failing.get(channel) ?? 0);
    if (failed) refused++;
    return failed;
  };
  /** @returns false: its sender is dead, there is nobody to answer. */
  const take = (one: Arrived, port: number): boolean => {
    arrived.push(one);
    if (trap?.channel !== one.channel) return true;
    const { caught } = trap;
    trap = undefined;
    caught(port, one);
    return false;
  };
  const server = createServer((request, response) => {
    answer(request, response, fails, take).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const smtp = await startSmtp(fails, take);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    smtp: `127.0.0.1:${smtp.port}`,
    arrived,
    trap: async (channel, limit, caught) => {
      const { promise, resolve } = Promise.withResolvers<Arrived | undefined>();
      const mine: Trap = {
        channel,
        caught: (port, one) => {
          caught(port);
          resolve(one);
        },
      };
      trap = mine;
      const late = setTimeout(() => resolve(undefined), limit);
      const found = await promise;
      clearTimeout(late);
      if (trap === mine) trap = undefined;
      return found;
    },
    failFor: (channel, ms) => void failing.set(channel, performance.now() + ms),
    refused: () => refused,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await Promise.all([new Promise((resolve) => server.close(resolve)), smtp.close()]);
    },
  };
}

type Fails = (channel: Channel) => boolean;
type Take = (one: Arrived, port: number) => boolean;

async function answer(request: IncomingMessage, response: ServerResponse, fails: Fails, take: Take): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const [, channel = '', target = ''] = (request.url ?? '').split('/');
  if (channel !== 'slack' && channel !== 'pagerduty' && channel !== 'webhook') {
    return void response.writeHead(404).end();
  }
  if (fails(channel)) return void response.writeHead(503).end('later');
  const body = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>;
  const one = read(channel, target, body, String(request.headers['idempotency-key'] ?? ''));
  if (!take(one, request.socket.remotePort ?? 0)) return;
  if (channel === 'pagerduty') response.writeHead(202).end('{"status":"success"}');
  else response.writeHead(200).end(channel === 'slack' ? 'ok' : '');
}

type Body = Readonly<Record<string, unknown>>;
const REPEAT = 'May be a repeat';

function read(channel: Exclude<Channel, 'email'>, target: string, body: Body, id: string): Arrived {
  const at = Date.now();
  if (channel === 'pagerduty') {
    const action = actionOf(String(body['event_action']));
    const details = (body['payload'] as { custom_details?: Body } | undefined)?.custom_details ?? {};
    const { Incident, State, Alerts } = details;
    const text = `${String((body['payload'] as Body | undefined)?.['summary'])}\nIncident: ${Incident}\n${State} ${Alerts}`;
    return { at, channel, target, key: String(body['dedup_key']), action, text, mayRepeat: false };
  }
  if (channel === 'slack') {
    const text = String(body['text']);
    return { at, channel, target, key: '', action: actionIn(text), text, mayRepeat: text.includes(REPEAT) };
  }
  const { headline, groupKey, mayRepeat, status, incident } = body;
  const action = incident === undefined ? undefined : String((incident as Body)['action']);
  const text = `${headline}\n${groupKey} ${status} ${action ?? ''}`;
  return { at, channel, target, key: id, action: actionIn(text), text, mayRepeat: mayRepeat === true };
}

const actionOf = (text: string): Arrived['action'] =>
  text === 'trigger' || text === 'acknowledge' || text === 'resolve' ? text : 'other';

/** By the headline, which says first what is over; `missed` is a page and an end in one. */
export function actionIn(text: string): Arrived['action'] {
  const headline = text.split('\n')[0] ?? '';
  if (headline.startsWith('RESOLVED')) return 'resolve';
  if (headline.includes(' · acknowledged · ')) return 'acknowledge';
  return headline.includes(' · update · ') ? 'other' : 'trigger';
}

const BUSY = Object.assign(new Error('later'), { responseCode: 451 });

async function startSmtp(fails: Fails, take: Take): Promise<{ port: number; close(): Promise<void> }> {
  const server: SMTPServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    hideSTARTTLS: true,
    disableReverseLookup: true,
    logger: false,
    onMailFrom: (_address, _session, done) => done(fails('email') ? BUSY : null),
    onData: (stream, session, done) => {
      readMail(stream, session)
        .then((one) => {
          if (take(one, session.remotePort)) done(null, 'OK');
        })
        .catch((error: Error) => done(error));
    },
  });
  // Whoever sends may be killed in the middle of it.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    close: async () => {
      for (const connection of server.connections) connection._socket.destroy();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

async function readMail(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<Arrived> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece as Uint8Array);
  const mail = await PostalMime.parse(Buffer.concat(pieces));
  const target = (session.envelope.rcptTo[0]?.address ?? '').split('@')[0] ?? '';
  const text = mail.text ?? '';
  const [at, key] = [Date.now(), mail.messageId ?? ''];
  return { at, channel: 'email', target, key, action: actionIn(text), text, mayRepeat: text.includes(REPEAT) };
}
