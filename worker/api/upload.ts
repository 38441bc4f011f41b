/**
 * Reads a multipart upload as it comes: the file goes to the database piece by piece, so that an upload costs two pieces
 * of memory whatever its size, and a slow sender holds no transaction. Pieces of an upload that breaks off are dropped at
 * once, or by the sweep if this process dies.
 */
import { createHash } from 'node:crypto';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import { checkTargetShape } from '#kernel/http.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { type Bytes, kibibytes } from '#kernel/units.ts';
import { refuse } from '#serving/problems.ts';
import { sniff } from '#worker/parsers/sniff.ts';
import { dropContent, PIECE_BYTES, type Piece, putPiece } from '#worker/rows/contents.ts';

export type UploadLimits = { readonly bytes: Bytes };
export const METADATA_BYTES = kibibytes(8);
const METADATA_DEPTH = 32;
const WEBHOOK_URL_CHARACTERS = 2_000;
const FILENAME_CHARACTERS = 255;
/** What a form has beside its file: fields, part headers and boundaries. */
const FORM_BYTES = kibibytes(64);

export type Upload = {
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly metadata: object;
  readonly webhookUrl: string | null;
  /** Not stored yet: belongs into the transaction that accepts the document. */
  readonly pieces: readonly Piece[];
};

type FilePart = Pick<Upload, 'filename' | 'contentType' | 'bytes' | 'sha256' | 'pieces'>;

/** @throws a Refusal that names the part and what would be right. Then nothing of the upload is kept. */
export async function readUpload(
  request: FastifyRequest,
  id: string,
  db: Db,
  shared: SharedClock,
  limits: UploadLimits,
): Promise<Upload> {
  // Said before it is sent: nobody's time is worth an upload that cannot be kept.
  if (Number(request.headers['content-length']) > limits.bytes + FORM_BYTES) throw tooLarge(limits);
  let staged = false;
  try {
    let file: FilePart | undefined;
    const fields = new Map<string, string>();
    const sizes = { files: 1, fields: 8, fileSize: limits.bytes, fieldSize: METADATA_BYTES, parts: 9, headerPairs: 20 };
    for await (const part of readable(request.parts({ limits: sizes }), limits)) {
      // Its types promise a name; a part can come without one.
      if ((part.fieldname as string | undefined) === undefined) throw refuse('bad_request', 'A part has no name');
      if (part.type === 'field') {
        readField(fields, part.fieldname, part.value, part.valueTruncated);
        continue;
      }
      if (part.fieldname !== 'file') {
        throw refuse('bad_request', `Unknown file part "${part.fieldname.slice(0, 50)}": name it "file"`);
      }
      const data = readable(part.file as AsyncIterable<Buffer>, limits);
      file = await readFile(part, data, limits, async (piece) => {
        staged = true;
        await putPiece(db, id, piece, shared.now());
      });
    }
    if (!file) throw refuse('bad_request', 'There is no file: send one part named "file"');
    return {
      ...file,
      metadata: readMetadata(fields.get('metadata')),
      webhookUrl: readWebhook(fields.get('webhookUrl')),
    };
  } catch (error) {
    if (staged) await dropContent(db, id).catch(() => {});
    // Nobody hears it any more; but it is the caller's doing, and must not read as a fault of ours.
    if (request.raw.destroyed && !request.raw.complete) throw refuse('bad_request', 'The upload was broken off');
    throw error;
  }
}

/** What the parser throws, it throws over a body that is wrong; what our own code throws meanwhile does not pass here. */
async function* readable<T>(parsed: AsyncIterable<T>, limits: UploadLimits): AsyncGenerator<T> {
  try {
    yield* parsed;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'FST_REQ_FILE_TOO_LARGE') throw tooLarge(limits);
    if (code === 'FST_FILES_LIMIT') throw refuse('bad_request', 'There is more than one file: send exactly one');
    throw refuse('bad_request', `The multipart body is wrong: ${describe(error).slice(0, 200)}`);
  }
}

async function readFile(
  part: MultipartFile,
  from: AsyncIterable<Buffer>,
  limits: UploadLimits,
  stage: (piece: Piece) => Promise<void>,
): Promise<FilePart> {
  const hash = createHash('sha256');
  let bytes = 0;
  let ordinal = 0;
  let head: Buffer | undefined;
  let open: Buffer[] = [];
  let size = 0;
  for await (const data of from) {
    hash.update(data);
    bytes += data.length;
    open.push(data);
    size += data.length;
    if (size < PIECE_BYTES) continue;
    const piece = Buffer.concat(open);
    head ??= piece;
    await stage({ ordinal: ordinal++, bytes: piece });
    open = [];
    size = 0;
  }
  if (part.file.truncated) throw tooLarge(limits);
  const last = Buffer.concat(open);
  const filename = cleanFilename(part.filename);
  const sniffed = sniff(head ?? last, filename);
  const contentType = sniffed.kind === 'known' ? sniffed.contentType : 'application/octet-stream';
  const pieces = last.length > 0 ? [{ ordinal, bytes: last }] : [];
  return { filename, contentType, bytes, sha256: hash.digest('hex'), pieces };
}

function readField(fields: Map<string, string>, name: string, value: unknown, truncated: boolean): void {
  if (name === 'file') {
    throw refuse('bad_request', 'The part "file" has no file name, so it is a field: send it as a file');
  }
  if (name !== 'metadata' && name !== 'webhookUrl') {
    throw refuse('bad_request', `Unknown field "${name.slice(0, 50)}": the fields are file, metadata and webhookUrl`);
  }
  if (fields.has(name)) throw refuse('bad_request', `The field "${name}" is there twice`);
  if (truncated) throw refuse('bad_request', `The field "${name}" is over ${METADATA_BYTES} bytes`);
  // A part that says it is application/json comes parsed.
  fields.set(name, typeof value === 'string' ? value : JSON.stringify(value));
}

function readMetadata(text: string | undefined): object {
  if (text === undefined || text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('bad_request', `The field "metadata" is not JSON: ${describe(error).slice(0, 100)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('bad_request', 'The field "metadata" must be a JSON object, such as {"case": "A-17"}');
  }
  const obstacle = findUnstorable(value);
  if (obstacle !== undefined) throw refuse('bad_request', `The field "metadata" ${obstacle}`);
  return value;
}

/** Postgres can keep no zero byte and no half of a surrogate pair in jsonb, and neither it nor JSON an infinite number. */
function findUnstorable(value: unknown, depth = 1): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'holds a number that is too large';
  if (typeof value === 'string' && !(value.isWellFormed() && !value.includes('\u0000'))) {
    return 'holds a character that cannot be stored (U+0000 or half a pair)';
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > METADATA_DEPTH) return `is nested deeper than ${METADATA_DEPTH} levels`;
  for (const [name, inner] of Object.entries(value)) {
    const obstacle = findUnstorable(name) ?? findUnstorable(inner, depth + 1);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

function readWebhook(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  const url = text.length <= WEBHOOK_URL_CHARACTERS ? URL.parse(text) : null;
  if (!url) throw refuse('bad_request', 'The field "webhookUrl" is not a URL, such as https://example.com/done');
  try {
    checkTargetShape(url);
  } catch (error) {
    throw refuse('bad_request', `The field "webhookUrl" is not allowed. ${describe(error)}`);
  }
  return url.href;
}

/** A name is shown to people and nothing else: no path, no control characters, a bounded length. */
export function cleanFilename(name: string | undefined): string {
  const base = (name ?? '').split(/[/\\]/).at(-1) ?? '';
  const clean = base.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '').trim();
  return clean.length <= FILENAME_CHARACTERS ? clean || 'unnamed' : clean.slice(-FILENAME_CHARACTERS).toWellFormed();
}

const tooLarge = (limits: UploadLimits) => refuse('too_large', `The file is over the limit of ${limits.bytes} bytes`);
