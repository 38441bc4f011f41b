/**
 * Which alerts an objective raises, and how eagerly. Burnline judges every objective by its own rules, since OpenSLO's
 * conditions hold one window each; a file's alert policies say which kinds of alert there are, and annotations under
 * `burnline/` say the rest.
 */
import { ALERTING_LIMITS, type Alerting, type AlertNames, DEFAULT_ALERTING } from '#slo/objective.ts';
import { items, type Located, part, textsAt } from './document.ts';
import type { Report } from './report.ts';
import type { ConditionSpec, PolicySpec, Shape } from './shapes.ts';
import { keyPlace, place, type Tree } from './tree.ts';

export const PREFIX = 'burnline/';
/** In words of the field. */
const NUMBERS = { 'false-pages-per-year': 'falsePagesPerYear', 'smallest-burn': 'smallestBurn' } as const;
const FLAGS = ['page', 'ticket'] as const;
const LABELS = { 'page-labels': 'pageLabels', 'ticket-labels': 'ticketLabels' } as const;
const KEYS = [...Object.keys(NUMBERS), ...FLAGS, ...Object.keys(LABELS), 'runbook-url', 'alert-name'];
/** Where people put a runbook's address already: Sloth's files, and Prometheus' mixins. */
const RUNBOOKS = ['runbook_url', 'runbook'] as const;

export type Policies = {
  readonly policies: ReadonlyMap<string, Located<Shape<'AlertPolicy'>>>;
  readonly conditions: ReadonlyMap<string, Located<Shape<'AlertCondition'>>>;
  readonly targets: ReadonlyMap<string, unknown>;
  readonly references: boolean;
};

type Kinds = { readonly page: boolean; readonly ticket: boolean };

/** The annotations that are not ours. */
export const otherAnnotations = (annotations: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(PREFIX)));

export function runbookOf(annotations: Readonly<Record<string, string>>): string | undefined {
  const key = RUNBOOKS.find((one) => annotations[one] !== undefined && isWebAddress(annotations[one]));
  return key && annotations[key];
}

export function readAlerting(slo: Located<Shape<'SLO'>>, policies: Policies, report: Report): Alerting {
  const annotations = textsAt(slo.tree, ['metadata', 'annotations']);
  const alerting: { -readonly [K in keyof Alerting]: Alerting[K] } = {
    ...DEFAULT_ALERTING,
    ...readPolicies(slo, policies, report),
    runbookUrl: runbookOf(annotations),
  };
  const names: { -readonly [K in keyof AlertNames]: AlertNames[K] } = {
    name: undefined,
    pageLabels: {},
    ticketLabels: {},
  };
  let named = false;
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    const wrong = (right: string): void =>
      report.fault(
        place(slo.tree, ['metadata', 'annotations', key]),
        `${key} is "${value.slice(0, 60)}": expected ${right}`,
      );
    if (name === 'runbook-url') {
      if (isWebAddress(value)) alerting.runbookUrl = value;
      else wrong('an address with http:// or https://');
    } else if (name === 'alert-name') {
      names.name = value;
      named = true;
    } else if (name in LABELS) {
      const labels = readLabels(value);
      if (labels) names[LABELS[name as keyof typeof LABELS]] = labels;
      else wrong('a JSON object of texts, such as {"team":"documents"}');
      named = true;
    } else if (name in NUMBERS) {
      const field = NUMBERS[name as keyof typeof NUMBERS];
      const [least, most] = ALERTING_LIMITS[field];
      const number = value.trim() === '' ? Number.NaN : Number(value);
      if (number >= least && number <= most) alerting[field] = number;
      else wrong(`a number from ${least} to ${most}`);
    } else if (FLAGS.some((flag) => flag === name)) {
      if (value === 'true' || value === 'false') alerting[name as keyof Kinds] = value === 'true';
      else wrong('"true" or "false"');
    } else {
      const at = keyPlace(slo.tree, ['metadata', 'annotations', key]);
      report.strictly(at, `${key} is unknown and not read: there are ${KEYS.map((one) => PREFIX + one).join(', ')}`);
    }
  }
  return named ? { ...alerting, named: names } : alerting;
}

const isWebAddress = (text: string | undefined): boolean =>
  /^https?:\/\/[^\s/]+/.test(text ?? '') && URL.canParse(text ?? '');

function readLabels(text: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.values(value).every((one) => typeof one === 'string') ? (value as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}

/** Annotations that read back as this. */
export function alertingAnnotations({
  page,
  ticket,
  named,
}: Pick<Alerting, 'page' | 'ticket' | 'named'>): Record<string, string> {
  const labels = (kind: string, given: Readonly<Record<string, string>> | undefined) =>
    given && Object.keys(given).length > 0 ? { [`${PREFIX}${kind}-labels`]: JSON.stringify(given) } : {};
  return {
    ...(page ? {} : { [`${PREFIX}page`]: 'false' }),
    ...(ticket ? {} : { [`${PREFIX}ticket`]: 'false' }),
    ...(named?.name === undefined ? {} : { [`${PREFIX}alert-name`]: named.name }),
    ...labels('page', named?.pageLabels),
    ...labels('ticket', named?.ticketLabels),
  };
}

/** Which kinds of alert the policies ask for; both when there are no policies. */
function readPolicies(slo: Located<Shape<'SLO'>>, known: Policies, report: Report): Kinds {
  const spec = part(slo, 'spec');
  const written = spec && part(spec, 'alertPolicies');
  if (written === undefined || written.value.length === 0) return { page: true, ticket: true };
  const kinds = { page: false, ticket: false };
  let sure = true;
  for (const item of items(written)) {
    const policy =
      part(item, 'spec') ??
      referred(item.value.alertPolicyRef, item.tree, 'alertPolicyRef', known.policies, known, report);
    if (policy === undefined) {
      sure = false;
      continue;
    }
    const asked = kindsOf(policy, known, report);
    if (asked === undefined) sure = false;
    else if (policy.value.alertWhenBreaching !== false) {
      kinds.page ||= asked.page;
      kinds.ticket ||= asked.ticket;
    }
  }
  // What is not known may ask for either; a page too few is the worse fault.
  if (!sure) return { page: true, ticket: true };
  const missing = (['page', 'ticket'] as const).filter((kind) => !kinds[kind]);
  if (missing.length > 0)
    report.warn(place(written.tree), `no alert of kind ${missing.join(' and ')} is raised: no policy asks for one`);
  return kinds;
}

function kindsOf(policy: Located<PolicySpec>, known: Policies, report: Report): Kinds | undefined {
  const kinds = { page: false, ticket: false };
  for (const item of items(part(policy, 'notificationTargets'))) {
    const ref = item.value.targetRef;
    if (ref !== undefined && known.references && !known.targets.has(ref)) {
      dangling(item.tree, 'targetRef', 'AlertNotificationTarget', ref, report);
    }
  }
  for (const item of items(part(policy, 'conditions'))) {
    const condition =
      part(item, 'spec') ??
      referred(item.value.conditionRef, item.tree, 'conditionRef', known.conditions, known, report);
    if (condition === undefined) return undefined;
    const { page, ticket } = severityOf(condition, report);
    kinds.page ||= page;
    kinds.ticket ||= ticket;
  }
  return kinds;
}

const PAGES = /^(?:page|critical|high|sev-?[01]|p[01])$/i;
const TICKETS = /^(?:ticket|warning|warn|medium|low|sev-?[2-5]|p[2-5])$/i;

function severityOf({ value, tree }: Located<ConditionSpec>, report: Report): Kinds {
  const { severity } = value;
  report.warn(
    place(tree, ['condition']),
    'its threshold and window are not used: Burnline judges every objective by its own rules',
  );
  const page = PAGES.test(severity);
  const ticket = TICKETS.test(severity);
  if (page || ticket) return { page, ticket };
  report.warn(
    place(tree, ['severity']),
    `severity is "${severity.slice(0, 40)}": expected page or ticket; taken as both`,
  );
  return { page: true, ticket: true };
}

function referred<S>(
  name: string | undefined,
  tree: Tree,
  key: 'alertPolicyRef' | 'conditionRef',
  defined: ReadonlyMap<string, Located<{ spec: S }>>,
  { references }: Policies,
  report: Report,
): Located<NonNullable<S>> | undefined {
  if (name === undefined) return undefined;
  const found = defined.get(name);
  if (found) return part(found, 'spec');
  if (references) dangling(tree, key, key === 'conditionRef' ? 'AlertCondition' : 'AlertPolicy', name, report);
  return undefined;
}

export function dangling(tree: Tree, key: string, kind: string, name: string, report: Report): void {
  report.fault(
    place(tree, [key]),
    `${key} refers to the ${kind} ${name.slice(0, 80)}, which none of the files defines`,
  );
}
