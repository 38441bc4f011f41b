/** What of a list is shown: kept in the address, so that it can be sent to somebody and the way back leads to it. */
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';

/** @returns the filters that stand in the address, and how to change one; an empty one goes away. */
export function useFilters<Name extends string>(
  names: readonly Name[],
): readonly [Readonly<Record<Name, string>>, (name: Name, value: string) => void] {
  const { query, path, route } = useLocation();
  const given = Object.fromEntries(names.map((name) => [name, query[name] ?? ''])) as Record<Name, string>;
  const set = (name: Name, value: string) => {
    // What else stands in the address, such as a silence that is being made, stays.
    const next = new URLSearchParams(query);
    if (value === '') next.delete(name);
    else next.set(name, value);
    route(next.size === 0 ? path : `${path}?${next}`, true);
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
export function More({ more }: MoreProps) {
  const [isAsking, setAsking] = useState(false);
  if (more === undefined) return null;
  // Pressed twice, it would bring the same ones twice.
  const press = async () => {
    setAsking(true);
    await more();
    setAsking(false);
  };
  return (
    <button type="button" disabled={isAsking} onClick={() => void press()}>
      Older ones
    </button>
  );
}
