/**
 * Markdown as elements of the page: never as HTML, so that nothing that stands in it can act. HTML in it is shown as the
 * text that it is; a picture is its description; only web addresses are links.
 */
import { lexer, type Token, type Tokens } from 'marked';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { Outward } from './link.tsx';
import { Wide } from './wide.tsx';

export function Markdown({ text }: { readonly text: string }) {
  const tokens = useMemo(() => lexer(text), [text]);
  return <div class="prose foreign">{all(tokens)}</div>;
}

const all = (tokens: readonly Token[] | undefined): ComponentChildren =>
  tokens?.map((token, i) => <One key={i} token={token} />);

function One({ token }: { readonly token: Token }): ComponentChildren {
  switch (token.type) {
    case 'heading':
      return heading(token as Tokens.Heading);
    case 'paragraph':
      return <p>{all(token.tokens)}</p>;
    case 'text':
      return 'tokens' in token && token.tokens ? all(token.tokens) : decoded(token.raw);
    case 'strong':
      return <strong>{all(token.tokens)}</strong>;
    case 'em':
      return <em>{all(token.tokens)}</em>;
    case 'del':
      return <del>{all(token.tokens)}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'code':
      return (
        <pre>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote>{all(token.tokens)}</blockquote>;
    case 'hr':
      return <hr />;
    case 'br':
      return <br />;
    case 'link':
      return <Outward href={(token as Tokens.Link).href}>{all(token.tokens)}</Outward>;
    case 'list':
      return list(token as Tokens.List);
    case 'table':
      return table(token as Tokens.Table);
    case 'space':
      return null;
    case 'escape':
      return (token as Tokens.Escape).text;
    case 'image':
      return (token as Tokens.Image).text;
    default:
      return token.raw;
  }
}

/** What a careful writer escaped, such as `&lt;`. */
const decoded = (text: string): string =>
  text.replace(
    /&(lt|gt|amp|quot);/g,
    (_whole, name: string) => ({ lt: '<', gt: '>', amp: '&', quot: '"' })[name] ?? '',
  );

function heading({ depth, tokens }: Tokens.Heading): ComponentChildren {
  // Below the page's own heading.
  if (depth <= 1) return <h2>{all(tokens)}</h2>;
  return depth === 2 ? <h3>{all(tokens)}</h3> : <h4>{all(tokens)}</h4>;
}

function list({ ordered, start, items }: Tokens.List): ComponentChildren {
  const inner = items.map((item, i) => (
    <li key={i}>
      {item.task && (item.checked ? '☑ ' : '☐ ')}
      {all(item.tokens.filter(({ type }) => type !== 'checkbox'))}
    </li>
  ));
  return ordered ? <ol start={start === '' ? 1 : start}>{inner}</ol> : <ul>{inner}</ul>;
}

function table({ header, rows }: Tokens.Table): ComponentChildren {
  const hasHead = header.some(({ text }) => text !== '');
  return (
    <Wide label="Table">
      <table>
        {hasHead && (
          <thead>
            <tr>
              {header.map((cell, i) => (
                <th key={i} scope="col">
                  {all(cell.tokens)}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j}>{all(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}
