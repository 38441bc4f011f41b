/** A message as the person who got it sees it, with its links to press. */
import { pieces } from '#console/web/text/simulators.ts';

export function MessageText({ text }: { readonly text: string }) {
  return (
    <p class="message foreign">
      {pieces(text).map(({ text: words, href }, i) =>
        href === undefined ? (
          words
        ) : (
          <a key={i} href={href} rel="noreferrer">
            {words}
          </a>
        ),
      )}
    </p>
  );
}
