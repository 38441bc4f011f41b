/** The addresses that people see. All lead to one page, which finds out by itself what it is to show. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '#serving/app.ts';
import { refuse } from '#serving/problems.ts';
import { type File, makePages, wantedEncoding } from './pages.ts';

export type PageRoutes = {
  /** Where the build is. */
  readonly dist: string;
};

const PAGES = [
  '/',
  '/incidents',
  '/incidents/:id',
  '/objectives',
  // An objective's id may have slashes.
  '/objectives/*',
  '/documents',
  '/documents/:id',
  '/silences',
  '/alerts',
  '/oncall',
  '/notifications',
  '/simulators',
  '/audit',
  '/sign-in',
];
/** Their names do not change with what is in them. */
const FIXED = ['/favicon.ico', '/icon.svg', '/manifest.webmanifest'];
const ASSETS = '/assets/*';

/** They hold nothing that is not in the source. */
export const openPages = (prefix: string): string[] =>
  [...PAGES, ...FIXED, ASSETS].map((path) => `${prefix}${path}`).concat(prefix === '' ? [] : [prefix]);

/** Its own files and its own server, no script or style in the text, no frame. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Burnline: the page is not built</title></head>
<body><h1>The page is not built</h1>
<p>Run <code>npm run build</code> in the folder of Burnline and load this page again. <code>npm ci</code> does it by itself.</p>
<p>Meanwhile: <code>npx burnline top</code>, <code>npx burnline incidents</code>.</p></body></html>
`;

export function pageRoutes(app: App, prefix: string, { dist }: PageRoutes): void {
  const pages = makePages(dist, prefix);
  const schema = { hide: true };
  const showPage = async (_request: FastifyRequest, reply: FastifyReply) => {
    const built = await pages.current();
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').serializer(passed);
    if (built === undefined) return await reply.code(503).header('retry-after', '5').send(NOT_BUILT);
    // With no-referrer a form's Origin would be "null".
    reply.header('content-security-policy', PAGE_POLICY).header('referrer-policy', 'same-origin');
    return await reply.send(built.page);
  };
  for (const path of [...PAGES.map((page) => `${prefix}${page}`), ...(prefix === '' ? [] : [prefix])]) {
    app.get(path, { schema }, showPage as never);
  }
  const fileAt = async (path: string): Promise<File> => {
    const file = (await pages.current())?.files.get(path);
    if (file === undefined) throw refuse('not_found', `The page has no file ${path.slice(0, 200)}`);
    return file;
  };
  for (const path of FIXED) {
    app.get(
      `${prefix}${path}`,
      { schema },
      (async (request: FastifyRequest, reply: FastifyReply) =>
        await sendFile(request, reply, await fileAt(path.slice(1)), 'no-cache')) as never,
    );
  }
  app.get(`${prefix}${ASSETS}`, { schema }, (async (request: FastifyRequest, reply: FastifyReply) => {
    const { '*': name = '' } = request.params as { readonly '*'?: string };
    return await sendFile(request, reply, await fileAt(`assets/${name}`), FOR_EVER);
  }) as never);
}

/** The hash of what is in it is in its name. */
const FOR_EVER = 'public, max-age=31536000, immutable';

async function sendFile(request: FastifyRequest, reply: FastifyReply, file: File, keep: string): Promise<FastifyReply> {
  const as = wantedEncoding(request.headers['accept-encoding']);
  const smaller = as === undefined ? undefined : await file.encoded(as);
  reply.headers({ 'cache-control': keep, 'content-type': file.type, vary: 'accept-encoding', etag: file.tag });
  if (request.headers['if-none-match'] === file.tag) return await reply.code(304).send();
  if (as !== undefined && smaller !== undefined) reply.header('content-encoding', as);
  return await reply.serializer(passed).send(smaller ?? file.body);
}

const passed = (body: unknown) => body as never;
