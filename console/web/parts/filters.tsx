/** What of a list is shown: kept in the address, so that it can be sent to somebody and the way back leads to it. */
import { useLocation } from 'preact-iso';

/** @returns the filters that stand in the address, and how to change one; an empty one goes away. */
export function useFilters<Name extends string>(
  names: readonly Name[],
): readonly [Readonly<Record<Name, string>>, (name: Name, value: string) => void] {
  const { query, path, route } = useLocation();
  const given = Object.fromEntries(names.map((name) => [name, query[name] ?? ''])) as Record<Name, string>;
  const set = (name: Name, value: string) => {
    const next = Object.entries({ ...given, [name]: value }).filter(([, one]) => one !== '') as [string, string][];
    route(next.length === 0 ? path : `${path}?${new URLSearchParams(next)}`, true);
  };
  return [given, set];
}

type ChoiceProps = {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, words: string])[];
  readonly onChange: (value: string) => void;
};

/** A few possibilities, all of them seen. */
export const Choice = ({ label, value, options, onChange }: ChoiceProps) => (
  <fieldset class="tabs">
    <legend class="unseen">{label}</legend>
    {options.map(([name, words]) => (
      <button key={name} type="button" class="small" aria-pressed={name === value} onClick={() => onChange(name)}>
        {words}
      </button>
    ))}
  </fieldset>
);

type MoreProps = { readonly more: (() => Promise<void>) | undefined };
export const More = ({ more }: MoreProps) =>
  more === undefined ? null : (
    <button type="button" onClick={() => void more()}>
      Older ones
    </button>
  );
