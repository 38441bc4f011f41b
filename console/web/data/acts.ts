/** What a person does to an incident, and what is said of it when somebody else was quicker. */
import { say, sayFault } from '#console/web/parts/toasts.tsx';
import { type AnswerKind, answerWords } from '#console/web/text/answers.ts';
import { Problem, send } from './api.ts';
import { reload } from './resource.ts';
import { byMe, myName } from './session.ts';
import type { Incident } from './wire.ts';

/** @returns whether it was taken; what went wrong has been said. */
export async function answer(incident: Incident, kind: AnswerKind, more: object = {}): Promise<boolean> {
  try {
    const path = `api/v1/incidents/${encodeURIComponent(incident.id)}/${kind}`;
    const after = await send<Incident>('POST', path, { ...byMe(), ...more });
    say(answerWords(kind, incident, after, myName()));
    return true;
  } catch (error) {
    tellFault(error);
    return false;
  } finally {
    reload('incidents');
  }
}

export function tellFault(error: unknown): void {
  // Whose session has ended is at the sign-in by then, which says so.
  if (!(error instanceof Problem && error.status === 401)) sayFault(error);
}
