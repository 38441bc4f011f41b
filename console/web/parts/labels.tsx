/** Labels as their sender wrote them: of any length, in any script, and harmless. */
import { useState } from 'preact/hooks';

/** What is longer is cut until somebody asks. */
const CHARS = 120;
const FIRST = 8;

export function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  const [isWhole, setWhole] = useState(false);
  const all = Object.entries(labels);
  const isCut = all.length > FIRST || all.some(([name, value]) => name.length + value.length > CHARS);
  const shown = isWhole ? all : all.slice(0, FIRST);
  return (
    <div>
      {shown.map(([name, value]) => (
        <bdi key={name} class="label">
          {isWhole ? `${name}=${value}` : cut(`${name}=${value}`)}
        </bdi>
      ))}
      {isCut && (
        <button type="button" class="small plain" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Less' : 'All of it'}
        </button>
      )}
    </div>
  );
}

const cut = (text: string): string => (text.length <= CHARS ? text : `${text.slice(0, CHARS)}…`);
