/** Damages the framing of a multipart upload: what stands around the file, as a broken client or a hostile one would. */
import type { Random } from '#kernel/random.ts';
import { BOUNDARY, multipartBody, type Part } from './raw.ts';

export type Framed = { readonly type: string; readonly body: Buffer; readonly how: string };

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T;
const FORM = `multipart/form-data; boundary=${BOUNDARY}`;
const NAMES = [
  'file',
  'File',
  '',
  'file[]',
  'metadata',
  'webhookUrl',
  '__proto__',
  'constructor',
  'x'.repeat(300),
  'f\u0000',
];
const FILENAMES = [
  'a.pdf',
  '',
  '../../../etc/passwd',
  'ü☃😀.docx',
  'x'.repeat(5_000),
  'a"b.txt',
  'a\u0000b',
  '%00',
  'CON',
  '.',
];
const FIELDS = [
  '{}',
  '[]',
  '{"a":',
  '{"a":"\\u0000"}',
  `{"a":${'['.repeat(3_000)}`,
  'x'.repeat(10_000),
  '',
  'null',
  '"\\ud800"',
];
const HOOKS = [
  '',
  'http://127.0.0.1:9/',
  'javascript:alert(1)',
  'http://[::1]:9/',
  'file:///etc/passwd',
  'http://\u0000',
  'http://127.0.0.1:99999/',
];
const TYPES = [
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=x',
  'multipart/mixed; boundary=x',
  `${FORM}; charset=utf-16`,
  `multipart/form-data; boundary="${BOUNDARY}"`,
  `${FORM}x`,
  'text/plain',
  '',
  'multipart/form-data;;;=',
  `multipart/form-data; boundary=${'b'.repeat(300)}`,
];

const CHANGES: Readonly<Record<string, (parts: readonly Part[], random: Random) => Omit<Framed, 'how'>>> = {
  whole: (parts) => ({ type: FORM, body: multipartBody(parts) }),
  otherType: (parts, random) => ({ type: pick(random, TYPES), body: multipartBody(parts) }),
  otherNames(parts, random) {
    const changed = parts.map((part) => ({ ...part, name: pick(random, NAMES), filename: pick(random, FILENAMES) }));
    return { type: FORM, body: multipartBody(changed) };
  },
  moreParts(parts, random) {
    const fields = Array.from({ length: 1 + below(random, 12) }, () => {
      const name = pick(random, ['metadata', 'webhookUrl', 'other']);
      const type = pick(random, ['application/json', 'text/plain; charset=utf-7', 'image/png']);
      return { name, type, bytes: pick(random, name === 'webhookUrl' ? HOOKS : FIELDS) };
    });
    return { type: FORM, body: multipartBody(random.next() < 0.5 ? [...fields, ...parts] : [...parts, ...fields]) };
  },
  twice: (parts) => ({ type: FORM, body: multipartBody([...parts, ...parts]) }),
  cutOff(parts, random) {
    const body = multipartBody(parts);
    return { type: FORM, body: body.subarray(0, body.length - 1 - below(random, Math.min(200, body.length - 1))) };
  },
  noStart: (parts, random) => ({ type: FORM, body: multipartBody(parts).subarray(1 + below(random, 120)) }),
  flippedHead(parts, random) {
    const body = Buffer.from(multipartBody(parts));
    for (let i = 0; i <= below(random, 4); i++) {
      const at = below(random, Math.min(160, body.length));
      body[at] = (body[at] ?? 0) ^ (1 << below(random, 8));
    }
    return { type: FORM, body };
  },
  bareNewlines: (parts) => ({
    type: FORM,
    body: Buffer.from(multipartBody(parts).toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
  }),
  boundaryInside(parts, random) {
    const inside = parts.map((part) => ({
      ...part,
      bytes: Buffer.concat([
        Buffer.from(part.bytes as string),
        Buffer.from(`\r\n--${BOUNDARY}${pick(random, ['', '--', '\r\n', '\r\n\r\n', 'x'])}`),
        Buffer.from(part.bytes as string),
      ]),
    }));
    return { type: FORM, body: multipartBody(inside) };
  },
  longHeader(parts, random) {
    const type = `text/plain${pick(random, [';', '\r\nx: ', '\r\n y'])}`.concat('x'.repeat(below(random, 100_000)));
    return { type: FORM, body: multipartBody(parts.map((part) => ({ ...part, type }))) };
  },
  manyBoundaries: (parts, random) => ({
    type: FORM,
    body: Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n`.repeat(1 + below(random, 2_000))), multipartBody(parts)]),
  }),
  noise: (_parts, random) => ({ type: FORM, body: Buffer.from(random.bytes(below(random, 20_000))) }),
};

/** Every other upload is framed as it must be, so that what it holds comes to be read. */
export function frame(parts: readonly Part[], random: Random): Framed {
  const names = Object.keys(CHANGES);
  const how = random.next() < 0.5 ? 'whole' : pick(random, names);
  return { ...(CHANGES[how]?.(parts, random) ?? { type: FORM, body: multipartBody(parts) }), how };
}
