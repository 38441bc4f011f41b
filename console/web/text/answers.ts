/** What came of an answer, in words: also when somebody else was quicker. Pure. */
import type { Incident } from '#console/web/data/wire.ts';

export type AnswerKind = 'acknowledge' | 'resolve' | 'snooze' | 'notes';

/**
 * @param before as the page showed it when the button was pressed
 * @param after as the router says that it is
 * @param me as whom it was answered; undefined: it is not known, and then the answer counts as one's own
 */
export function answerWords(kind: AnswerKind, before: Incident, after: Incident, me: string | undefined): string {
  const name = `#${after.number}`;
  if (kind === 'notes') return `The note is in the timeline of ${name}.`;
  if (after.state === 'resolved') {
    const isMine = kind === 'resolve' && before.state !== 'resolved' && isMe(after.resolvedBy, me);
    return isMine
      ? `${name} is resolved.`
      : `Nothing was changed: ${name} is resolved already${byWhom(after.resolvedBy)}.`;
  }
  if (kind === 'snooze') return `${name} is snoozed: it opens again by itself.`;
  if (isMe(after.acknowledgedBy, me)) {
    return `${name} is acknowledged${byWhom(after.acknowledgedBy)}: nobody else is woken for it.`;
  }
  return `Nothing was changed: ${name} is acknowledged already${byWhom(after.acknowledgedBy)}.`;
}

const isMe = (name: string | null, me: string | undefined): boolean => me === undefined || name === me;
const byWhom = (name: string | null): string => (name === null ? '' : ` by ${name}`);
