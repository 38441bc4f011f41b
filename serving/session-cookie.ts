/** The cookie of a session, and what a request must show for it to count. */
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';

export type Site = {
  /** What stands before every address, without a slash at its end. */
  readonly prefix: string;
  /** Where browsers reach it, if not where it listens: behind a proxy that keeps that to itself. */
  readonly external: string | undefined;
};

export type SessionCookie = {
  readonly name: string;
  readonly options: CookieSerializeOptions & { readonly path: string };
};

/** Under which a page of this server has its origin. */
export function hostsOf(request: FastifyRequest, site: Site | undefined): string[] {
  const external = site?.external === undefined ? [] : [new URL(site.external).host];
  return [...new Set([request.host ?? '', ...external])].filter((host) => host !== '');
}

/**
 * By https its name has a prefix with which a browser takes it from this very host by https alone: nobody beside us can put
 * one in its place. By http there is no such thing. Source: RFC 6265bis §4.1.3.
 */
export function sessionCookie(request: FastifyRequest, site: Site): SessionCookie {
  const secure = isHttps(request, site);
  const path = site.prefix === '' ? '/' : site.prefix;
  const name = !secure ? 'burnline' : path === '/' ? '__Host-burnline' : '__Secure-burnline';
  return { name, options: { path, httpOnly: true, sameSite: 'strict', secure } };
}

/** What it holds, where there is one. */
export function givenSession(request: FastifyRequest, site: Site | undefined): string | undefined {
  return site === undefined ? undefined : request.cookies[sessionCookie(request, site).name];
}

/** TLS may end at a proxy: it says so, where it is trusted, or it is known by the name under which people come. */
function isHttps({ protocol, host }: FastifyRequest, { external }: Site): boolean {
  if (protocol === 'https') return true;
  const outside = external === undefined ? undefined : new URL(external);
  return outside?.protocol === 'https:' && outside.host === host;
}
