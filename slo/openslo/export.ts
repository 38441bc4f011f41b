/**
 * Documents as OpenSLO with nothing left to look up: indicators, alert policies, conditions and targets stand where they
 * are used. Services and data sources stay documents, since OpenSLO has no other place for them. What Sloth's files say
 * is written in OpenSLO's words.
 */
import { Document } from 'yaml';
import type { ObjectiveDocument } from './document.ts';
import type { PolicySpec, Shape, SloObjective } from './shapes.ts';
import { slothAsOpenSlo } from './sloth.ts';

type Known = ReadonlyMap<string, ObjectiveDocument>;

export function exportResolved(documents: readonly ObjectiveDocument[]): string {
  const known: Known = new Map(
    documents.flatMap((document) =>
      document.kind === 'sloth' ? [] : [[`${document.kind} ${document.value.metadata.name}`, document] as const],
    ),
  );
  const written = documents.flatMap((document): object[] => {
    if (document.kind === 'sloth') return slothAsOpenSlo(document);
    if (document.kind === 'SLO') return [resolved(document.value, known)];
    return document.kind === 'Service' || document.kind === 'DataSource' ? [document.value] : [];
  });
  return written.map(yaml).join('---\n');
}

function yaml(value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  return document.toString({ lineWidth: 0 });
}

function resolved(slo: Shape<'SLO'>, known: Known): object {
  const { alertPolicies, ...spec } = slo.spec;
  return {
    ...slo,
    spec: {
      ...withIndicator(spec, known),
      objectives: spec.objectives.map((objective: SloObjective) => withIndicator(objective, known)),
      ...(alertPolicies === undefined
        ? {}
        : { alertPolicies: alertPolicies.map((policy) => inlinePolicy(policy, known)) }),
    },
  };
}

/** A reference to what is not there stays one. */
function withIndicator<T extends { indicatorRef?: string | undefined }>(holder: T, known: Known): object {
  const { indicatorRef, ...rest } = holder;
  const sli = known.get(`SLI ${indicatorRef}`);
  if (sli?.kind !== 'SLI') return holder;
  return { ...rest, indicator: { metadata: sli.value.metadata, spec: sli.value.spec } };
}

function inline(kind: string, ref: string | undefined, known: Known) {
  const found = ref === undefined ? undefined : known.get(`${kind} ${ref}`);
  return found === undefined || found.kind === 'sloth'
    ? undefined
    : { kind, metadata: found.value.metadata, spec: found.value.spec };
}

type Policy = NonNullable<Shape<'SLO'>['spec']['alertPolicies']>[number];

function inlinePolicy(policy: Policy, known: Known): object {
  const whole = inline('AlertPolicy', policy.alertPolicyRef, known) ?? policy;
  const spec = whole.spec as PolicySpec | undefined;
  if (spec === undefined) return whole;
  return {
    ...whole,
    spec: {
      ...spec,
      ...(spec.conditions && {
        conditions: spec.conditions.map((one) => inline('AlertCondition', one.conditionRef, known) ?? one),
      }),
      ...(spec.notificationTargets && {
        notificationTargets: spec.notificationTargets.map(
          (one) => inline('AlertNotificationTarget', one.targetRef, known) ?? one,
        ),
      }),
    },
  };
}
