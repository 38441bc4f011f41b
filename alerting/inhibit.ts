/**
 * Which alerts keep which quiet, as keys that can be looked up. Pure.
 *
 * An alert is inhibited when another one that fires has one of the alert's target keys among its source keys. A rule's key
 * says whether the source is also one of the rule's targets: those do not inhibit their like, and so not themselves.
 *
 * Source: prometheus/alertmanager inhibit/inhibit.go and docs/configuration.md "Inhibition-related settings".
 */
import type { InhibitRule } from '#alerting/config/config.ts';
import { fingerprint, type Labels } from './labels.ts';
import { matchersText, matchesAll } from './matcher.ts';

/** The keys under which the alert inhibits others: one for each rule of which it is a source. */
export function sourcesOf(rules: readonly InhibitRule[], labels: Labels): string[] {
  return unique(
    rules
      .filter((rule) => matchesAll(rule.source, labels))
      .map((rule) => key(rule, matchesAll(rule.target, labels) ? 'both' : 'source', labels)),
  );
}

/** The keys by which another alert would inhibit this one. */
export function targetsOf(rules: readonly InhibitRule[], labels: Labels): string[] {
  return unique(
    rules
      .filter((rule) => matchesAll(rule.target, labels))
      .flatMap((rule) => {
        const like = matchesAll(rule.source, labels);
        return like ? [key(rule, 'source', labels)] : [key(rule, 'source', labels), key(rule, 'both', labels)];
      }),
  );
}

type Side = 'source' | 'both';

function key(rule: InhibitRule, side: Side, labels: Labels): string {
  const values = rule.equal.map((name) => (Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''));
  return `${ruleId(rule)}:${side}:${JSON.stringify(values)}`;
}

/** Of what the rule says, not of its place: a key that was stored stays right when the file is loaded again. */
function ruleId(rule: InhibitRule): string {
  const known = ids.get(rule);
  if (known !== undefined) return known;
  const source = matchersText(rule.source);
  const id = fingerprint({ source, target: matchersText(rule.target), equal: JSON.stringify(rule.equal) });
  ids.set(rule, id);
  return id;
}

const ids = new WeakMap<InhibitRule, string>();

const unique = (keys: readonly string[]): string[] => [...new Set(keys)];
