/**
 * What the keys of a document demand of each other, beyond their shape. `fault` is wrong for anybody; `strictly` is what
 * OpenSLO's Go SDK refuses, and its README or published examples do.
 *
 * Source: https://github.com/OpenSLO/go-sdk, pkg/openslo/v1 (0.9)
 */
import { items, type Located, named, type ObjectiveDocument, part, told } from './document.ts';
import { readDuration } from './duration.ts';
import type { Report } from './report.ts';
import type { ConditionSpec, Metadata, PolicySpec, RatioMetric, Shape, SliSpec, TargetSpec } from './shapes.ts';
import { find, keyPlace, type Path, place, type Tree } from './tree.ts';

const NAME_CHARS_MAX = 63;
const DISPLAY_NAME_CHARS_MAX = 63;
export const DESCRIPTION_CHARS_MAX = 1_050;
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
/** What README encourages beyond that, and the capitals that its own examples have. */
const LENIENT_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9._|/\\]{0,253}[A-Za-z0-9])?$/;
const LABEL_KEY = /^[a-zA-Z0-9](?:[-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const ANNOTATION_KEY =
  /^(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*\/)?[a-zA-Z0-9](?:[-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;

export function checkDocument(document: ObjectiveDocument, report: Report): void {
  if (document.kind === 'sloth') return;
  checkMetadata(part<{ metadata: Metadata }, 'metadata'>(document, 'metadata'), report);
  const { tree } = document;
  switch (document.kind) {
    case 'SLO':
      checkSlo(document, report);
      break;
    case 'SLI':
      checkSli(part(document, 'spec'), report);
      break;
    case 'AlertPolicy':
      checkPolicy(part(document, 'spec'), report);
      break;
    case 'AlertCondition':
      checkCondition(part(document, 'spec'), report);
      break;
    case 'DataSource':
      if (find(tree, ['spec', 'connectionDetails']) === undefined) {
        report.strictly(place(tree, ['spec']), 'spec.connectionDetails is missing');
      }
      checkDescription(tree, ['spec', 'description'], report);
      break;
    case 'Service':
    case 'AlertNotificationTarget':
      checkDescription(tree, ['spec', 'description'], report);
      break;
    default:
      document satisfies never;
  }
}

/** A name, or a reference to one. */
export function checkName(tree: Tree, path: Path, report: Report): void {
  const found = find(tree, path);
  if (found?.kind !== 'scalar') return;
  const name = String(found.value);
  if (!LENIENT_NAME.test(name)) {
    report.fault(
      place(tree, path),
      `${named(path)} is ${told(found)}: expected letters, digits and dashes, up to ${NAME_CHARS_MAX}`,
    );
  } else if (!DNS_LABEL.test(name)) {
    const right =
      name.length > NAME_CHARS_MAX ? `at most ${NAME_CHARS_MAX} characters` : 'lower-case letters, digits and dashes';
    report.strictly(place(tree, path), `${named(path)} is ${told(found)}: expected ${right} (RFC 1123)`);
  }
}

export function checkMetadata(metadata: Located<Metadata> | undefined, report: Report): void {
  if (metadata === undefined) return;
  const { tree, value } = metadata;
  checkName(tree, ['name'], report);
  if ([...(value.displayName ?? '')].length > DISPLAY_NAME_CHARS_MAX) {
    report.strictly(place(tree, ['displayName']), `displayName has more than ${DISPLAY_NAME_CHARS_MAX} characters`);
  }
  for (const [key, written] of Object.entries(value.labels ?? {})) {
    const path = ['labels', key];
    if (!LABEL_KEY.test(key))
      report.strictly(keyPlace(tree, path), `the label "${key}" is no key: expected letters, digits, - _ .`);
    if ([written].flat().some((one) => typeof one !== 'string')) notText(tree, path, report);
  }
  for (const [key, written] of Object.entries(value.annotations ?? {})) {
    const path = ['annotations', key];
    if (!ANNOTATION_KEY.test(key)) {
      report.strictly(keyPlace(tree, path), `the annotation "${key}" is no key: expected one like example.com/key`);
    }
    if (typeof written !== 'string') notText(tree, path, report);
  }
}

function notText(tree: Tree, path: Path, report: Report): void {
  const found = find(tree, path);
  if (found) report.strictly(place(tree, path), `${named(path)} is ${told(found)}: expected text, in quotes`);
}

function checkDescription(tree: Tree, path: Path, report: Report): void {
  const found = find(tree, path);
  if (found?.kind !== 'scalar' || [...String(found.value)].length <= DESCRIPTION_CHARS_MAX) return;
  report.strictly(place(tree, path), `${named(path)} has more than ${DESCRIPTION_CHARS_MAX} characters`);
}

function checkSlo(slo: Located<Shape<'SLO'>>, report: Report): void {
  const spec = part(slo, 'spec');
  if (spec === undefined) return;
  checkDescription(slo.tree, ['spec', 'description'], report);
  checkName(spec.tree, ['indicatorRef'], report);
  checkInline(part(spec, 'indicator'), report);
  for (const objective of items(part(spec, 'objectives'))) {
    checkName(objective.tree, ['indicatorRef'], report);
    checkInline(part(objective, 'indicator'), report);
  }
  for (const policy of items(part(spec, 'alertPolicies'))) {
    if (oneOf(policy.tree, 'alertPolicyRef', 'AlertPolicy', report)) checkPolicy(part(policy, 'spec'), report);
    checkMetadata(part(policy, 'metadata'), report);
  }
}

/** An indicator in the place where it is used. */
function checkInline(
  indicator: Located<{ metadata?: Metadata | undefined; spec: SliSpec }> | undefined,
  report: Report,
): void {
  if (indicator === undefined) return;
  if (indicator.value.metadata === undefined) report.strictly(place(indicator.tree), 'indicator.metadata is missing');
  checkMetadata(part(indicator, 'metadata'), report);
  checkSli(part(indicator, 'spec'), report);
}

function checkSli(sli: Located<SliSpec> | undefined, report: Report): void {
  if (sli === undefined) return;
  const { tree, value } = sli;
  checkDescription(tree, ['description'], report);
  if (value.thresholdMetric && value.ratioMetric) {
    report.fault(keyPlace(tree, ['ratioMetric']), 'has a thresholdMetric and a ratioMetric: expected one of them');
  } else if (!value.thresholdMetric && !value.ratioMetric) {
    report.fault(place(tree), 'has neither a thresholdMetric nor a ratioMetric: expected one of them');
  }
  const ratio = part(sli, 'ratioMetric');
  if (ratio) checkRatio(ratio, report);
  const metrics = [['thresholdMetric'], ...['good', 'bad', 'total', 'raw'].map((key) => ['ratioMetric', key])];
  for (const path of metrics) {
    const source = [...path, 'metricSource'];
    checkName(tree, [...source, 'metricSourceRef'], report);
    const spec = find(tree, [...source, 'spec']);
    if (spec?.kind === 'map' && spec.entries.size === 0)
      report.strictly(place(spec), `${named([...source, 'spec'])} is empty`);
  }
}

function checkRatio({ tree, value }: Located<RatioMetric>, report: Report): void {
  const { good, bad, total, raw, rawType } = value;
  const at = place(tree);
  if (raw) {
    for (const key of ['good', 'bad', 'total'] as const) {
      if (value[key])
        report.fault(keyPlace(tree, [key]), `ratioMetric has raw and ${key}: raw is a ready ratio and stands alone`);
    }
    if (!rawType) report.fault(keyPlace(tree, ['raw']), 'ratioMetric.rawType is missing: expected success or failure');
    return;
  }
  if (rawType) report.strictly(keyPlace(tree, ['rawType']), 'ratioMetric.rawType belongs beside raw, which is missing');
  if (!total) report.fault(at, 'ratioMetric has no total: expected total with good or bad, or raw with rawType');
  else if (!good && !bad) report.fault(at, 'ratioMetric has neither good nor bad beside total: expected one of them');
  else if (good && bad) {
    report.warn(keyPlace(tree, ['good']), 'ratioMetric has good and bad: bad and total are used, good is not read');
  }
}

/** Holds that a list's item is a reference or a definition. True for a definition. */
function oneOf(tree: Tree, reference: string, kind: string, report: Report): boolean {
  const referred = find(tree, [reference]) !== undefined;
  const defined = find(tree, ['spec']) !== undefined;
  if (referred && defined) report.fault(place(tree), `has ${reference} and spec: expected a reference or a definition`);
  if (!referred && !defined) report.fault(place(tree), `has neither ${reference} nor spec: expected one of them`);
  checkName(tree, [reference], report);
  if (!defined) return false;
  const found = find(tree, ['kind']);
  if (found?.kind !== 'scalar' || found.value !== kind)
    report.strictly(place(tree, ['kind']), `has not the kind ${kind}`);
  if (find(tree, ['metadata']) === undefined) report.strictly(place(tree), 'metadata is missing');
  return true;
}

function checkPolicy(policy: Located<PolicySpec> | undefined, report: Report): void {
  if (policy === undefined) return;
  const { tree, value } = policy;
  checkDescription(tree, ['description'], report);
  if (value.conditions?.length !== 1) {
    report.strictly(place(tree, ['conditions']), `has ${value.conditions?.length ?? 0} conditions: expected one`);
  }
  if (!value.notificationTargets?.length)
    report.strictly(place(tree), 'has no notificationTargets: expected at least one');
  for (const condition of items(part(policy, 'conditions'))) {
    if (oneOf(condition.tree, 'conditionRef', 'AlertCondition', report))
      checkCondition(part(condition, 'spec'), report);
    checkMetadata(part(condition, 'metadata'), report);
  }
  for (const target of items(part(policy, 'notificationTargets'))) {
    if (oneOf(target.tree, 'targetRef', 'AlertNotificationTarget', report)) checkTarget(part(target, 'spec'), report);
    checkMetadata(part(target, 'metadata'), report);
  }
}

const checkTarget = (target: Located<TargetSpec> | undefined, report: Report): void => {
  if (target) checkDescription(target.tree, ['description'], report);
};

function checkCondition(condition: Located<ConditionSpec> | undefined, report: Report): void {
  if (condition === undefined) return;
  const { tree, value } = condition;
  const { kind, op } = value.condition;
  checkDescription(tree, ['description'], report);
  if (kind === undefined) report.strictly(place(tree, ['condition']), 'condition.kind is missing: expected burnrate');
  else if (kind !== 'burnrate')
    report.fault(place(tree, ['condition', 'kind']), `condition.kind is ${kind}: expected burnrate`);
  if (op === undefined)
    report.strictly(place(tree, ['condition']), 'condition.op is missing: expected gt, gte, lt or lte');
  for (const key of ['lookbackWindow', 'alertAfter'] as const) {
    if (value.condition[key] !== undefined) readDuration(tree, ['condition', key], report);
  }
}
