/**
 * The page and its files, as Vite built them. They are read once, and again when a build has made others; compressed once,
 * in memory, when they are first asked for: most routers that start show nobody a page soon, and no path of a request
 * reaches the disk.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { escapeHtml } from '#alerting/notify/text.ts';

export type Encoding = 'br' | 'gzip';
export type File = {
  readonly type: string;
  readonly tag: string;
  readonly body: Buffer;
  /** Undefined: it would not be smaller. */
  encoded(as: Encoding): Promise<Buffer | undefined>;
};
export type Built = {
  /** With the base under which its relative links lead to us. */
  readonly page: Buffer;
  /** By their path under the folder. */
  readonly files: ReadonlyMap<string, File>;
};

export interface Pages {
  /** Undefined: nobody has built them. */
  current(): Promise<Built | undefined>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const ALREADY_SMALL = new Set(['.png', '.woff2']);
const PAGE = 'index.html';
const ASSETS = 'assets';
/** Of 330 kB of scripts the best takes 560 ms of a core, this one 25, for 7 % more bytes. */
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const [brotlied, gzipped] = [promisify(brotliCompress), promisify(gzip)];
const COMPRESS: Readonly<Record<Encoding, (body: Buffer) => Promise<Buffer>>> = {
  br: async (body) => await brotlied(body, QUALITY),
  gzip: async (body) => await gzipped(body),
};

/** @param folder of the build. @param prefix what stands before every address, without a slash at its end. */
export function makePages(folder: string, prefix: string): Pages {
  let known: { readonly stamp: string; readonly built: Promise<Built> } | undefined;
  return {
    current: async () => {
      const stamp = await stampOf(folder);
      if (stamp === undefined) return undefined;
      if (known?.stamp !== stamp) known = { stamp, built: read(folder, prefix) };
      const { built } = known;
      // A build that is under way: the next look finds it whole.
      return await built.catch(() => {
        if (known?.built === built) known = undefined;
        return undefined;
      });
    },
  };
}

/** Another one after each build. */
async function stampOf(folder: string): Promise<string | undefined> {
  const [page, assets] = await Promise.all(
    [PAGE, ASSETS].map((name) => stat(join(folder, name)).catch(() => undefined)),
  );
  return page === undefined ? undefined : `${page.mtimeMs}/${page.size}/${assets?.mtimeMs}`;
}

async function read(folder: string, prefix: string): Promise<Built> {
  const html = await readFile(join(folder, PAGE), 'utf8');
  const base = `<base href="${escapeHtml(prefix)}/">`;
  const names = await readdir(folder, { recursive: true });
  const usable = names.filter((name) => TYPES[extname(name)] !== undefined);
  const files = await Promise.all(
    usable.map(async (name) => [name.replaceAll('\\', '/'), fileOf(name, await readFile(join(folder, name)))] as const),
  );
  return { page: Buffer.from(html.replace(/<head[^>]*>/i, (head) => `${head}${base}`)), files: new Map(files) };
}

function fileOf(name: string, body: Buffer): File {
  const kind = extname(name);
  const encoded = new Map<Encoding, Promise<Buffer | undefined>>();
  const compress = async (as: Encoding) => {
    const smaller = await COMPRESS[as](body);
    return smaller.length < body.length ? smaller : undefined;
  };
  const tag = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return {
    type: TYPES[kind] ?? 'application/octet-stream',
    tag: `"${tag}"`,
    body,
    encoded: async (as) => {
      if (ALREADY_SMALL.has(kind)) return undefined;
      const known = encoded.get(as) ?? compress(as);
      encoded.set(as, known);
      return await known;
    },
  };
}

/** RFC 9110 §12.5.3, of the two that we have: what is not named, or has no weight, is not wanted. */
export function wantedEncoding(accepted: string | undefined): Encoding | undefined {
  const wanted = (accepted ?? '')
    .toLowerCase()
    .split(',')
    .filter((one) => !/;\s*q=0(?:\.0{0,3})?\s*$/.test(one))
    .map((one) => one.split(';')[0]?.trim());
  return (['br', 'gzip'] as const).find((one) => wanted.includes(one));
}
