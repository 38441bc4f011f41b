/**
 * Prometheus' file for its servers, as far as the router keeps it: who may come with a name and a password, and TLS. What
 * it does not keep it refuses: a server that is less guarded than its file says is worse than none.
 *
 * Source: prometheus/exporter-toolkit docs/web-configuration.md.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { hashFault } from '#access/basic-users.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Tls } from '#serving/early-server.ts';

export type WebConfig = { readonly users: ReadonlyMap<string, string>; readonly tls: Tls | undefined };

const FILE_BYTES_MAX = 1024 * 1024;
const USERS_MAX = 1_000;

const hash = z.string().superRefine((text, context) => {
  const wrong = hashFault(text);
  if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
});
const file = z.strictObject({
  basic_auth_users: z
    .record(z.string().regex(/^[^:]+$/, 'a name is not empty and has no colon'), hash)
    .refine((users) => Object.keys(users).length <= USERS_MAX, `at most ${USERS_MAX} users`)
    .nullish(),
  tls_server_config: z
    .strictObject({
      cert_file: z.string().min(1),
      key_file: z.string().min(1),
      min_version: z.enum(['TLS12', 'TLS13'], 'expected TLS12 or TLS13').default('TLS12'),
      client_auth_type: z.literal('NoClientCert', 'certificates of clients are not asked for').optional(),
    })
    .nullish(),
  // HTTP/1.1 is spoken either way.
  http_server_config: z.strictObject({ http2: z.boolean().optional() }).nullish(),
});

/** Until when the certificate is good: the soonest end in its chain, since one that is over breaks all of it. */
export function goodUntil({ cert }: Pick<Tls, 'cert'>): Milliseconds {
  const chain = cert.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return milliseconds(Math.min(...chain.map((one) => new X509Certificate(one).validToDate.getTime())));
}

/** @throws {Fault} which names the file and the field, and quotes no hash. */
export function readWebConfig(path: string): WebConfig {
  const refuse = (why: string): never => {
    throw new Fault('web_config', `${path}: ${why}`);
  };
  const read = (name: string): string => {
    try {
      return readFileSync(resolve(dirname(path), name), 'utf8');
    } catch (error) {
      return refuse(`cannot read ${name}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`);
    }
  };
  const text = read(resolve(path));
  if (text.length > FILE_BYTES_MAX) refuse(`has ${text.length} characters, the most is ${FILE_BYTES_MAX}`);
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken !== undefined) refuse(`is no YAML: ${broken.code} in line ${broken.linePos?.[0].line ?? 1}`);
  const parsed = file.safeParse(document.toJS() ?? {});
  if (!parsed.success) {
    return refuse(parsed.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`).join('; '));
  }
  const { basic_auth_users: users, tls_server_config: tls } = parsed.data;
  return { users: new Map(Object.entries(users ?? {})), tls: tls ? readTls(tls, read, refuse) : undefined };
}

function readTls(
  given: { readonly cert_file: string; readonly key_file: string; readonly min_version: 'TLS12' | 'TLS13' },
  read: (name: string) => string,
  refuse: (why: string) => never,
): Tls {
  const minVersion = given.min_version === 'TLS13' ? 'TLSv1.3' : 'TLSv1.2';
  const tls: Tls = { cert: read(given.cert_file), key: read(given.key_file), minVersion };
  try {
    createSecureContext(tls);
  } catch (error) {
    return refuse(`tls_server_config: ${describe(error)}`);
  }
  return tls;
}
