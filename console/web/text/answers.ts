/** What came of an answer, in words: also when somebody else was quicker. Pure. */
import type { Incident } from '#console/web/data/wire.ts';

export type AnswerKind = 'acknowledge' | 'resolve' | 'snooze' | 'notes';

/** @param before as the page showed it when the button was pressed @param after as the router says that it is */
export function answerWords(kind: AnswerKind, before: Incident, after: Incident): string {
  const name = `#${after.number}`;
  if (kind === 'notes') return `The note is in the timeline of ${name}.`;
  const wasLate = after.state === 'resolved' && (kind !== 'resolve' || before.state === 'resolved');
  if (wasLate) return `Nothing was changed: ${name} is resolved already${byWhom(after.resolvedBy)}.`;
  if (kind === 'resolve') return `${name} is resolved.`;
  if (kind === 'snooze') return `${name} is snoozed: it opens again by itself.`;
  if (before.state === 'open' && after.acknowledgedAt !== null && before.openedAt === after.openedAt) {
    return `${name} is acknowledged${byWhom(after.acknowledgedBy)}: nobody else is woken for it.`;
  }
  return `Nothing was changed: ${name} is acknowledged already${byWhom(after.acknowledgedBy)}.`;
}

const byWhom = (name: string | null): string => (name === null ? '' : ` by ${name}`);
