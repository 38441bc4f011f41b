/** What may be wider than a phone scrolls by itself, with a thumb and by keyboard. */
import type { ComponentChildren } from 'preact';

type Props = { readonly label: string; readonly children: ComponentChildren; readonly class?: string };

export const Wide = ({ label, children, class: more = '' }: Props) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus
  <section class={`scroll-x ${more}`} aria-label={label} tabIndex={0}>
    {children}
  </section>
);
