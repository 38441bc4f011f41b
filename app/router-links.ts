/** Whether the links in messages lead anywhere for those who get them. Pure. */
import { isLoopback } from '#access/addresses.ts';
import type { Integration } from '#alerting/config/config.ts';
import type { Setup } from '#alerting/setup.ts';

/** The first channel that leaves this machine while the links in its messages do not; undefined: all is well. */
export function deadLinks({ links, directory }: Pick<Setup, 'links' | 'directory'>): string | undefined {
  if (!isHere(hostOf(links.external))) return undefined;
  return [...directory].find(([, integration]) => !isHere(targetOf(integration)))?.[0];
}

/** Of an address that only this machine reaches. */
export const leadsHere = (url: string): boolean => isHere(hostOf(url));

const hostOf = (url: string): string => URL.parse(url)?.hostname ?? '';

function isHere(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '');
  return name === 'localhost' || isLoopback(name);
}

function targetOf(integration: Integration): string {
  switch (integration.kind) {
    case 'slack':
    case 'webhook':
      return hostOf(integration.url.reveal());
    case 'pagerduty':
      return hostOf(integration.url);
    case 'email':
      return integration.smarthost.host;
    default:
      return integration satisfies never;
  }
}
