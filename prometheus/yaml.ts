/**
 * Writes Prometheus rule groups as YAML text. A library would build a tree of the whole file first; this writes one group
 * after the other, so that 5,000 objectives take no more memory than one. Strings are written as JSON writes them, which
 * is YAML, or as literal blocks where they have lines.
 *
 * Source: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
 */
import type { Seconds } from '#kernel/units.ts';
import { durationText } from './text.ts';

export type Labels = Readonly<Record<string, string>>;
export type RecordRule = {
  readonly kind: 'record';
  readonly record: string;
  readonly expr: string;
  readonly labels: Labels;
};
export type AlertRule = {
  readonly kind: 'alert';
  readonly alert: string;
  readonly expr: string;
  /** Absent where the expression itself says for how long. */
  readonly for?: Seconds;
  readonly labels: Labels;
  readonly annotations: Labels;
};
export type Rule = RecordRule | AlertRule;
export type Group = { readonly name: string; readonly interval: Seconds; readonly rules: readonly Rule[] };

export const fileHead = (about: string): string => `# ${about}\ngroups:\n`;

export const groupText = ({ name, interval, rules }: Group): string =>
  `${groupHead(name, interval)}${rules.map(ruleText).join('')}`;

/** What stands before a group's rules. */
export const groupHead = (name: string, interval: Seconds): string =>
  `- name: ${scalar(name)}\n  interval: ${durationText(interval)}\n  rules:\n`;

export function ruleText(rule: Rule): string {
  const head = rule.kind === 'record' ? `  - record: ${scalar(rule.record)}\n` : `  - alert: ${scalar(rule.alert)}\n`;
  const wait = rule.kind === 'alert' && rule.for !== undefined ? `    for: ${durationText(rule.for)}\n` : '';
  const notes = rule.kind === 'alert' ? mapText('annotations', rule.annotations) : '';
  return `${head}    expr: ${exprText(rule.expr)}${wait}${mapText('labels', rule.labels)}${notes}`;
}

function mapText(name: string, map: Labels): string {
  const keys = Object.keys(map).sort();
  if (keys.length === 0) return '';
  return `    ${name}:\n${keys.map((key) => `      ${scalar(key)}: ${scalar(map[key] ?? '')}\n`).join('')}`;
}

/** Lines that a literal block holds as they are: nothing invisible, and the first shows how far all are set in. */
const BLOCK = /^[\x21-\x7e][\x20-\x7e\u00a1-\u2027\u2030-\ud7ff\n]*[\x21-\x7e]$/;

const exprText = (expr: string): string =>
  expr.includes('\n') && BLOCK.test(expr) ? `|-\n${expr.replace(/^(?=.)/gm, '      ')}\n` : `${scalar(expr)}\n`;

/** Plain where no reader of YAML can take it for anything but this text. */
const PLAIN = /^[a-zA-Z_][\w/-]*$/;
const WORDS = /^(?:true|false|yes|no|on|off|null|nan|inf|y|n)$/i;
/** A record's name has colons, none of them before a space. */
const RECORD = /^[a-z_]+(?::[a-zA-Z0-9_]+)+$/;

const scalar = (text: string): string =>
  (PLAIN.test(text) && !WORDS.test(text)) || RECORD.test(text) ? text : quotedText(text);

/** JSON, but for what YAML does not take as it is. Half a pair of surrogates is no text in either. */
const quotedText = (text: string): string =>
  JSON.stringify(text.toWellFormed()).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
