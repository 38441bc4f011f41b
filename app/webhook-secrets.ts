/** The secrets by which PagerDuty's webhooks are believed: from a setting, or from the file that it names. */
import { Fault } from '#kernel/errors.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { readNamedFile } from './named-file.ts';

/** PagerDuty's have 64; whoever could guess one could end every page. */
const LEAST = 16;
export const WEBHOOK_SECRETS = `expected at least ${LEAST} characters, several with commas`;

const parts = (text: string): string[] =>
  text
    .split(/[,\r\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

export const areSecrets = (text: string): boolean =>
  parts(text).length > 0 && parts(text).every((one) => one.length >= LEAST);

/** @throws {Fault} which names the file and never quotes it. */
export function readWebhookSecrets(file: string): Secret[] {
  const text = readNamedFile(file, 'webhook_secret_unreadable');
  if (!areSecrets(text)) throw new Fault('webhook_secret_short', `Cannot use ${file}: ${WEBHOOK_SECRETS}`);
  return parts(text).map(secret);
}

/** @param given of the setting; both may be set while one takes the place of the other. */
export const webhookSecrets = (given: Secret | undefined, file: string | undefined): Secret[] => [
  ...(given === undefined ? [] : parts(given.reveal()).map(secret)),
  ...(file === undefined ? [] : readWebhookSecrets(file)),
];
