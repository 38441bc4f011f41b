/**
 * The keys that tokens are verified with. Each is bound to one algorithm when it is read, by what the key is and not by
 * what a token says: a public key can never be used as an HMAC secret, however a token is written.
 *
 * Source: RFC 7517, RFC 7518; RFC 8725 (JWT best current practices) §3.1.
 */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { Fault } from '#kernel/errors.ts';
import type { Secret } from '#kernel/secret.ts';

export type JwtAlgorithm = 'RS256' | 'ES256' | 'HS256';
export type JwtKey = {
  readonly algorithm: JwtAlgorithm;
  readonly key: KeyObject;
  /** A token that names a key is tried only with that key and with nameless ones. */
  readonly id: string | undefined;
};

/** RFC 7518 §3.2 and §3.3. */
const SECRET_BYTES_MIN = 32;
const RSA_BITS_MIN = 2048;
/** A token without a key's name is tried with each. */
const KEYS_MAX = 20;

type Jwk = Readonly<Record<string, unknown>>;

/**
 * Reads a key file: a PEM public key or certificate, a JWK, or a JWKS. Symmetric only as a JWK of type `oct`.
 *
 * @throws {Fault} `jwt_keys_invalid`, which never quotes the file.
 */
export function parseJwtKeys(text: string): JwtKey[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return fromJson(trimmed);
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(trimmed)) {
    throw invalid('it holds a private key; give the public one, the private stays with whoever issues tokens');
  }
  if (!trimmed.startsWith('-----BEGIN ')) {
    throw invalid('it is neither PEM nor JSON; a shared secret is configured as such, not as a key file');
  }
  return [publicKey(() => createPublicKey(trimmed), undefined)];
}

/** @throws {Fault} `jwt_keys_invalid` when the secret is shorter than the hash. */
export function hs256Key(shared: Secret): JwtKey {
  return symmetricKey(Buffer.from(shared.reveal()), undefined);
}

function fromJson(text: string): JwtKey[] {
  const parsed = parseJson(text);
  const listed: unknown = Array.isArray(parsed['keys']) ? parsed['keys'] : [parsed];
  const usable = (listed as unknown[]).filter(isJwk).filter(forSignatures);
  if (usable.length === 0) throw invalid('it holds no key for signatures');
  if (usable.length > KEYS_MAX) throw invalid(`it holds ${usable.length} keys, the limit is ${KEYS_MAX}`);
  return usable.map(fromJwk);
}

function fromJwk(jwk: Jwk): JwtKey {
  if (jwk['d'] !== undefined) throw invalid('it holds a private key; give the public one');
  const id = typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined;
  const found =
    jwk['kty'] === 'oct' && typeof jwk['k'] === 'string'
      ? symmetricKey(Buffer.from(jwk['k'], 'base64url'), id)
      : publicKey(() => createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' }), id);
  if (jwk['alg'] !== undefined && jwk['alg'] !== found.algorithm) {
    throw invalid(`a key says it is for ${String(jwk['alg']).slice(0, 20)}, only ${found.algorithm} fits its type`);
  }
  return found;
}

function publicKey(read: () => KeyObject, id: string | undefined): JwtKey {
  const key = readKey(read);
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength >= RSA_BITS_MIN) return { algorithm: 'RS256', key, id };
    throw invalid(`an RSA key has ${modulusLength} bits, at least ${RSA_BITS_MIN} are needed`);
  }
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return { algorithm: 'ES256', key, id };
  throw invalid('only RSA and P-256 keys can be used');
}

function symmetricKey(bytes: Buffer, id: string | undefined): JwtKey {
  if (bytes.length >= SECRET_BYTES_MIN) return { algorithm: 'HS256', key: createSecretKey(bytes), id };
  throw invalid(`a shared secret has ${bytes.length} bytes, at least ${SECRET_BYTES_MIN} are needed`);
}

function readKey(read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch {
    throw invalid('a key cannot be read'); // without the cause: it may quote the file
  }
}

function parseJson(text: string): Jwk {
  try {
    return JSON.parse(text) as Jwk;
  } catch {
    throw invalid('it is not valid JSON'); // JSON.parse quotes what it could not read
  }
}

const isJwk = (value: unknown): value is Jwk => typeof value === 'object' && value !== null && 'kty' in value;

function forSignatures(jwk: Jwk): boolean {
  const operations = jwk['key_ops'];
  return (jwk['use'] ?? 'sig') === 'sig' && (!Array.isArray(operations) || operations.includes('verify'));
}

const invalid = (because: string) => new Fault('jwt_keys_invalid', `Cannot use the JWT key file: ${because}`);
