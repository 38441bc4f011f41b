/**
 * A mail server that takes everything, unless told otherwise. No TLS; any user and password will do.
 * Addresses with a fate of their own: `reject@…` is refused for ever (550), `defer@…` for now (450).
 */
import type { Socket } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { describe } from '#kernel/errors.ts';
import { uuidv7 } from '#kernel/random.ts';
import { mebibytes } from '#kernel/units.ts';
import type { Fate } from '#simulators/faults.ts';
import { answerTime } from '#simulators/latency.ts';
import { pause, type Stage } from '#simulators/stage.ts';

const LARGEST_MESSAGE = mebibytes(2);
const MOST_CLIENTS = 200;
const IDLE_LIMIT = 300_000;
const TEMPORARY = 451;
const NONSENSE = 'HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<h1>Bad Request</h1>\r\n';

export type Smtp = { readonly port: number; close(): Promise<void> };
type Callback = (error?: Error | null, message?: string) => void;
type Reply = Error & { responseCode: number };

export async function listenSmtp(stage: Stage, host: string, port: number): Promise<Smtp> {
  const sockets = new Set<Socket>();
  const fates = new Map<string, Fate>();
  const socketOf = (session: SMTPServerSession) =>
    [...server.connections].find((connection) => connection.session === session)?._socket;
  const cut = (session: SMTPServerSession) => socketOf(session)?.destroy();
  const server: SMTPServer = new SMTPServer({
    name: 'simulator',
    banner: 'Burnline mail simulator',
    size: LARGEST_MESSAGE,
    rejectOversized: true,
    maxClients: MOST_CLIENTS,
    socketTimeout: IDLE_LIMIT,
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    hideSTARTTLS: true,
    disableReverseLookup: true,
    logger: false,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? 'anybody' }),
    onMailFrom: (_address, session, done) => {
      const fate = fateOfMessage(stage);
      fates.set(session.id, fate);
      void beginMessage(stage, fate, done).catch(() => cut(session));
      if (fate.kind === 'garbled') socketOf(session)?.end(NONSENSE);
    },
    onRcptTo: ({ address }, _session, done) => {
      const refusal = refusalOf(address);
      if (refusal) stage.stats.count('smtp', 'recipient', 'refused', refusal.responseCode);
      done(refusal);
    },
    onData: (stream, session, done) => {
      const fate = fates.get(session.id);
      void takeMessage(stage, stream, session)
        .then((id) => {
          const dropped = fate?.kind === 'dropped';
          stage.stats.count('smtp', 'message', dropped ? 'fault_drop' : 'answered', 250);
          if (dropped) cut(session);
          else done(null, `OK: queued as ${id}`);
        })
        .catch((error: unknown) => done(reply(TEMPORARY, describe(error))));
    },
    onClose: (session) => void fates.delete(session.id),
  });
  server.on('error', (error: Error) => stage.log.debug({ reason: describe(error) }, 'A mail connection broke'));
  server.server.prependListener('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const plan = stage.faults.plan('smtp');
    if (!plan?.refuse || stage.faults.decide('smtp', 'connection').kind !== 'refused') return;
    stage.stats.count('smtp', 'connection', 'fault_refuse');
    socket.destroy();
  });
  await opened(server, host, port);
  const address = server.server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: async () => {
      const closed = new Promise<void>((done) => server.close(done));
      for (const socket of sockets) socket.destroy(); // a hanging session would hold the server for half a minute
      await closed;
    },
  };
}

function opened(server: SMTPServer, host: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.server.once('error', fail);
    server.listen(port, host, () => {
      server.server.off('error', fail);
      done();
    });
  });
}

/** A plan that refuses connections has decided there already. */
function fateOfMessage(stage: Stage): Fate {
  const plan = stage.faults.plan('smtp');
  return plan?.refuse
    ? { kind: 'served', delay: answerTime('zero', 'smtp', stage.weather) }
    : stage.faults.decide('smtp', 'message');
}

async function beginMessage(stage: Stage, fate: Fate, done: Callback): Promise<void> {
  switch (fate.kind) {
    case 'refused': // decided at the connection, never here
    case 'hang':
      return stage.stats.count('smtp', 'message', 'fault_hang');
    case 'garbled':
      return stage.stats.count('smtp', 'message', 'fault_garble');
    case 'error': {
      await pause(stage, fate.delay);
      const status = fate.status;
      stage.stats.count('smtp', 'message', 'fault_error', status);
      const kind = status < 500 ? 'temporary' : 'permanent';
      return done(reply(status, `Simulated ${kind} failure`));
    }
    case 'served':
    case 'dropped':
      await pause(stage, fate.delay);
      await pause(stage, answerTime(stage.latency, 'smtp', stage.weather));
      return done();
    default:
      return fate satisfies never;
  }
}

function refusalOf(address: string): Reply | null {
  const name = address.split('@')[0]?.toLowerCase();
  if (name === 'reject') return reply(550, '5.1.1 The mailbox does not exist');
  if (name === 'defer') return reply(450, '4.2.1 The mailbox is busy, try again later');
  return null;
}

const reply = (responseCode: number, words: string): Reply => Object.assign(new Error(words), { responseCode });

/** @returns the id that the server calls it by. */
async function takeMessage(stage: Stage, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece as Uint8Array);
  const raw = Buffer.concat(pieces);
  const mail = await PostalMime.parse(raw);
  const to = session.envelope.rcptTo.map(({ address }) => address);
  const body = {
    from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
    to,
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html ?? '',
    messageId: mail.messageId ?? '',
    headers: Object.fromEntries(mail.headers.map(({ key, value }) => [key, value])),
    attachments: mail.attachments.map(({ filename, mimeType }) => ({ filename, mimeType })),
  };
  stage.inbox.add({ channel: 'email', target: to.join(', '), body }, raw.length);
  return uuidv7(stage.clock.now(), stage.random);
}
