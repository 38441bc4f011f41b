/** A small line of burn rates, with 1 (what the objective allows) dashed. */
import { times } from '#console/web/text/format.ts';
import { sparkPath } from '#console/web/text/spark.ts';
import type { Tone } from './badges.tsx';

type Props = { readonly values: readonly (number | null)[]; readonly tone: Tone; readonly name: string };

export function Spark({ values, tone, name }: Props) {
  const { path, allowed, last } = sparkPath(values);
  const words = last === undefined ? 'no burn rate yet' : `burn rate now ${times(last)}`;
  return (
    <svg
      class={`spark ${tone}`}
      viewBox="0 0 100 28"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${name}: ${words}`}
    >
      <line x1="0" x2="100" y1={allowed} y2={allowed} />
      <path d={path} />
    </svg>
  );
}
