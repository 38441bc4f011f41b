/**
 * Where a request comes from, as browsers say it: `Sec-Fetch-Site`, which no page can write, and `Origin`. Whatever a
 * browser adds to a request by itself (a cookie, a remembered password, that it runs on this machine) proves nothing of who
 * asked for it. Pure.
 *
 * Browsers send `Sec-Fetch-Site` to https and to loopback only; over plain http to another machine, `Origin` alone, and on
 * a GET of one's own page not even that. Source: W3C Fetch Metadata §2.5; OWASP, CSRF prevention.
 */

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `typed`: by the person, in the browser itself. `unsaid`: a program, or a browser that says nothing. */
export type Provenance = 'own' | 'typed' | 'foreign' | 'unsaid';

/** @param hosts `host:port` under which this server is reached. Another port of the same machine is foreign. */
export function provenance(headers: Headers, hosts: readonly string[]): Provenance {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'own' : site === 'none' ? 'typed' : 'foreign';
  const origin = headers['origin'];
  if (origin === undefined) return 'unsaid';
  const host = typeof origin === 'string' ? URL.parse(origin)?.host : undefined;
  return host !== undefined && host !== '' && hosts.includes(host) ? 'own' : 'foreign';
}

/** RFC 9110 §9.2.1: it asks, and changes nothing. */
export const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

/** Another site cannot add it without asking first (CORS), and is never allowed to. */
export const CONSOLE_HEADER = 'x-burnline-console';

/** Whether a cookie counts as a credential. */
export function cookieCounts(method: string, headers: Headers, hosts: readonly string[]): boolean {
  const from = provenance(headers, hosts);
  // SameSite=Strict has kept it from other sites; what a foreign page reads by GET it is not shown.
  if (isSafe(method)) return from !== 'foreign';
  return from === 'own' && headers[CONSOLE_HEADER] === '1';
}

/** Whether something may be changed because of what a browser adds by itself. Programs may. */
export const changeCounts = (method: string, headers: Headers, hosts: readonly string[]): boolean =>
  isSafe(method) || ['own', 'unsaid'].includes(provenance(headers, hosts));
