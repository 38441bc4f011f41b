/**
 * E-mail by SMTP, one connection a mail: nothing waits in memory, and what an attempt came to is known from the step at
 * which it ended. Until the server has asked for the text (354) nothing was taken; after that only its answer tells.
 */

import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SmtpConnection, { type SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import { z } from 'zod';
import type { EmailIntegration } from '#alerting/config/config.ts';
import type { Attempt } from './attempt.ts';
import { type EmailMessage, emailMessage } from './email-message.ts';
import type { Outcome } from './outcome.ts';
import { excerpt, surelyNotSent } from './post.ts';

const CONNECT_LIMIT = 5_000;
const SILENCE_LIMIT = 7_500;
const RECIPIENTS_NAMED = 10;
/** What a mail is made of and known by is not for the file to say. */
const FIXED = /^(?:content-|mime-|message-id$|references$|in-reply-to$|date$)/i;

export async function notifyEmail(integration: EmailIntegration, attempt: Attempt): Promise<Outcome> {
  const { signal, random, told, circumstances, log } = attempt;
  if (signal.aborted)
    return { kind: 'retry', because: 'not sent: the router stops or the time was up', after: undefined };
  const composed = compose(integration, emailMessage(told, circumstances), random.bytes(12), attempt.clock.now());
  const bytes = await composed.build();
  const envelope = { ...composed.getEnvelope(), size: bytes.length };
  const progress = { taken: false };
  try {
    const info = await converse(integration, envelope, textOnceAsked(bytes, progress), signal);
    return delivered(info, circumstances.id, attempt, hiddenOf(integration, attempt));
  } catch (error) {
    const outcome = outcomeOf(error, progress.taken, signal, hiddenOf(integration, attempt));
    log.debug({ notification: circumstances.id, outcome: outcome.kind }, 'a mail was not delivered');
    return outcome;
  }
}

function compose(integration: EmailIntegration, mail: EmailMessage, chance: Uint8Array, now: number) {
  const { From, To, Subject, ...rest } = integration.headers;
  const headers = Object.fromEntries(Object.entries(rest).filter(([name]) => !FIXED.test(name)));
  const composed = new MailComposer({
    from: From ?? integration.from,
    to: To ?? integration.to,
    envelope: { from: integration.from, to: integration.to },
    subject: Subject ?? mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: mail.messageId,
    inReplyTo: mail.inReplyTo,
    references: [...mail.references],
    date: new Date(now),
    // What the mail is known by cannot be configured away.
    headers: { ...headers, ...mail.headers },
    // By chance, so that no text that a stranger wrote can hold it.
    baseBoundary: Buffer.from(chance).toString('hex'),
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'win',
  });
  return composed.compile();
}

/** Is read only when the server has asked for the text. */
function textOnceAsked(bytes: Buffer, progress: { taken: boolean }): Readable {
  const text = function* () {
    progress.taken = true;
    yield bytes;
  };
  return Readable.from(text(), { objectMode: false });
}

type Envelope = { from: string | false; to: string[]; size: number };

function converse(
  integration: EmailIntegration,
  envelope: Envelope,
  text: Readable,
  signal: AbortSignal,
): Promise<SMTPConnectionSendInfo> {
  const connection = new SmtpConnection(connectionOptions(integration));
  return new Promise<SMTPConnectionSendInfo>((done, fail) => {
    const stop = () => {
      fail(signal.reason);
      connection.close();
    };
    signal.addEventListener('abort', stop, { once: true });
    const end = (error: Error | null | undefined, info?: SMTPConnectionSendInfo) => {
      signal.removeEventListener('abort', stop);
      if (info === undefined || error) {
        fail(error ?? new Error('nothing was sent'));
        connection.close();
      } else {
        done(info);
        connection.quit();
      }
    };
    connection.on('error', end);
    connection.on('end', () => end(new Error('the connection ended')));
    connection.connect((error) => {
      if (error) return end(error);
      const { auth } = integration;
      const send = () => connection.send(envelope, text, end);
      if (auth === undefined) return send();
      const credentials = { user: auth.username, pass: auth.password.reveal() };
      connection.login({ ...credentials, credentials }, (refused) => (refused ? end(refused) : send()));
    });
  });
}

function connectionOptions({ smarthost, hello, auth, requireTls, implicitTls }: EmailIntegration) {
  const { host, port } = smarthost;
  const local = host === 'localhost' || host === '::1' || /^127\./.test(host);
  return {
    host,
    port,
    name: hello,
    secure: implicitTls,
    // A password never crosses a network unencrypted, whatever the file says.
    requireTLS: !implicitTls && (requireTls || (auth !== undefined && !local)),
    // Who does not ask for TLS has a relay whose certificate nobody signed: better unverified than open.
    opportunisticTLS: !requireTls,
    tls: { rejectUnauthorized: requireTls || implicitTls },
    connectionTimeout: CONNECT_LIMIT,
    dnsTimeout: CONNECT_LIMIT,
    greetingTimeout: CONNECT_LIMIT,
    socketTimeout: SILENCE_LIMIT,
    socketCloseTimeout: 0,
    logger: false,
  };
}

/**
 * Some recipients refused: still delivered. To refuse the whole would send the incident's next step to others although
 * somebody has it, and to try again would send everybody else a copy each minute for as long as one mailbox is full. Who
 * did not get it is named in the reference, which the console and the timeline show, and in the log.
 */
function delivered(info: SMTPConnectionSendInfo, id: string, { log }: Attempt, hidden: readonly string[]): Outcome {
  if (info.rejected.length === 0) return { kind: 'delivered', reference: excerpt(info.response, hidden) };
  const refused = info.rejected.slice(0, RECIPIENTS_NAMED).map((address, i) => {
    const said = excerpt(info.rejectedErrors?.[i]?.response, hidden);
    return said === '' ? address : `${address} (${said})`;
  });
  const more = info.rejected.length - refused.length;
  if (more > 0) refused.push(`${more} more`);
  log.warn({ notification: id, refused }, 'a mail was taken for some of its recipients only');
  return { kind: 'delivered', reference: `not for ${refused.join(', ')}` };
}

/** What nodemailer's errors carry. `code` is its own word for the step, `originalCode` the system's for the fault. */
const failure = z.object({
  code: z.string().optional().catch(undefined),
  originalCode: z.string().optional().catch(undefined),
  responseCode: z.number().optional().catch(undefined),
  response: z.string().optional().catch(undefined),
});
const brokenSchema = failure.extend({ rejectedErrors: z.array(failure).optional().catch(undefined) }).catch({});

/** Said by nodemailer itself, before anything was sent: no way to log in, an address that is none, too long a mail. */
const OURS: ReadonlySet<string> = new Set(['EAUTH', 'EENVELOPE', 'EMESSAGE']);

function outcomeOf(error: unknown, taken: boolean, signal: AbortSignal, hidden: readonly string[]): Outcome {
  const { code, originalCode, rejectedErrors = [], ...whole } = brokenSchema.parse(error);
  const answers = [...rejectedErrors, whole].flatMap(({ responseCode = 0, response }) =>
    responseCode >= 400 ? [{ passing: responseCode < 500, response }] : [],
  );
  const answer = answers.find(({ passing }) => passing) ?? answers[0];
  if (answer !== undefined) {
    const because = `the mail server answered ${excerpt(answer.response, hidden)}`;
    return answer.passing ? { kind: 'retry', because, after: undefined } : { kind: 'refused', because };
  }
  if (!taken && !signal.aborted && code !== undefined && originalCode === undefined && OURS.has(code)) {
    return { kind: 'refused', because: `the mail server cannot be given this mail (${code})` };
  }
  const because = signal.aborted ? 'no answer in time' : wordsOf(originalCode ?? code);
  if (taken) return { kind: 'ambiguous', because: `${because}, after the mail was sent` };
  return { kind: 'retry', because, after: undefined };
}

function wordsOf(code: string | undefined): string {
  if (code === undefined) return 'the connection broke';
  if (code === 'ETIMEDOUT') return 'no answer in time (ETIMEDOUT)';
  if (code === 'EDNS' || code === 'ETLS' || surelyNotSent(code)) return `cannot connect (${code})`;
  return `the connection broke (${code})`;
}

function hiddenOf({ auth }: EmailIntegration, { hidden }: Attempt): string[] {
  if (auth === undefined) return [...hidden];
  const password = auth.password.reveal();
  return [...hidden, password, Buffer.from(`\0${auth.username}\0${password}`).toString('base64')];
}
