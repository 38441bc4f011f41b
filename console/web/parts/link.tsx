/** Ways from page to page: below whatever prefix the router has. */
import type { ComponentChildren } from 'preact';
import { BASE } from '#console/web/data/api.ts';

/** @param path such as `incidents/12`, without the prefix. */
export const hrefOf = (path: string): string => `${BASE}${path}`;

type Props = {
  readonly to: string;
  readonly children: ComponentChildren;
  readonly class?: string | undefined;
  readonly title?: string | undefined;
  readonly onClick?: () => void;
  readonly 'aria-current'?: 'page' | undefined;
};

export const Link = ({ to, children, ...rest }: Props) => (
  <a href={hrefOf(to)} {...rest}>
    {children}
  </a>
);

/** Out of the console. Only web addresses: whoever sent an alert may have written `javascript:`. */
export function Outward({ href, children }: { readonly href: string; readonly children: ComponentChildren }) {
  const url = URL.parse(href);
  if (url === null || !/^https?:$/.test(url.protocol)) return <span class="foreign">{children}</span>;
  return (
    <a href={url.href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
