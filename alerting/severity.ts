/** Which alerts wake somebody. Pure. */
import type { Severity } from '#slo/verdict.ts';
import type { Labels } from './labels.ts';

const WORDS: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  page: 'critical',
  error: 'critical',
  emergency: 'critical',
  fatal: 'critical',
  high: 'critical',
  warning: 'warning',
  warn: 'warning',
  ticket: 'warning',
  medium: 'warning',
  low: 'info',
  info: 'info',
  none: 'info',
  debug: 'info',
};

/** By the label `severity`. Who says nothing, or a word that we do not know, is heard: a page too many, not one too few. */
export function severityOf(labels: Labels): Severity {
  const word = labels['severity'];
  return word === undefined ? 'critical' : (WORDS[word.toLowerCase()] ?? 'critical');
}
