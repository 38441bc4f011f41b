/** Matchers as people write them. Pure. */
import { saysWhatIsSilenced } from '#alerting/silenced-labels.ts';
import type { Matcher } from '#console/web/data/wire.ts';

export const OPERATORS = ['=', '!=', '=~', '!~'] as const;
export type Operator = (typeof OPERATORS)[number];

export const operatorOf = ({ isRegex, isEqual = true }: Matcher): Operator =>
  isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';

export const matcherOf = (name: string, operator: Operator, value: string): Matcher => ({
  name,
  value,
  isRegex: operator.endsWith('~'),
  isEqual: operator.startsWith('='),
});

/** As Alertmanager writes it: `name="value"`. */
export const matcherText = (matcher: Matcher): string =>
  `${matcher.name}${operatorOf(matcher)}${JSON.stringify(matcher.value)}`;

/** What is longer is a text, not a name: it would not fit into an address either. */
const LONGEST = 500;

export const matchersOf = (labels: Readonly<Record<string, string>>): Matcher[] =>
  Object.entries(labels)
    .filter(([name, value]) => saysWhatIsSilenced(name) && value.length <= LONGEST)
    .map(([name, value]) => matcherOf(name, '=', value));

/** In the address of the page of silences, so that an alert's button leads to a form that is filled. */
export const matchersInAddress = (matchers: readonly Matcher[]): string => JSON.stringify(matchers);

/** What somebody may have changed by hand. @returns none where it is no list of matchers */
export function matchersFromAddress(text: string): Matcher[] {
  try {
    const given: unknown = JSON.parse(text);
    if (!Array.isArray(given)) return [];
    return given.flatMap((one: Partial<Matcher> | null) =>
      typeof one?.name === 'string' && typeof one.value === 'string'
        ? [{ name: one.name, value: one.value, isRegex: one.isRegex === true, isEqual: one.isEqual !== false }]
        : [],
    );
  } catch {
    return [];
  }
}

/** Which rows of a form are wrong, and why: what the router would refuse, said at once. */
export function matcherFault({ name, value, isRegex }: Matcher): string | undefined {
  if (name.trim() === '') return 'The label has no name';
  if (!isRegex) return undefined;
  try {
    new RegExp(`^(?:${value})$`);
    return undefined;
  } catch {
    return 'This is no regular expression';
  }
}
