/**
 * What somebody did in another program's page of an incident: it holds here too, once. The event, the change and what
 * follows from it are one transaction, so that a 2xx means that it is durable, and a repeat of it changes nothing.
 */
import { type Answer, answerIn } from './answer.ts';
import type { Around } from './incidents.ts';
import type { InboundSource, Incident } from './store.ts';

export type Inbound = {
  readonly source: InboundSource;
  /** Of the event: the same for each time it is told. */
  readonly id: string;
  /** What they call the incident. */
  readonly theirs: string;
  /** The incident of ours; undefined: only their name for it is told, which an earlier event has tied to ours. */
  readonly ours: string | undefined;
  /** Undefined: nothing follows from it. */
  readonly says: Answer | undefined;
};

export type Heard = {
  readonly outcome:
    | 'taken'
    /** It holds already, or nothing follows from it. */
    | 'unchanged'
    /** The event was told before. */
    | 'replayed'
    /** No incident of ours. */
    | 'unknown';
  readonly incident: Incident | undefined;
};

export async function hear(around: Around, { source, id, theirs, ours, says }: Inbound): Promise<Heard> {
  return await around.store.tx(async (tx): Promise<Heard> => {
    const name = ours ?? (await tx.incidentOfTheirs(source, theirs));
    // Locked before the event is written down: two routers that are told of it at once do one thing after the other.
    const incident = name === undefined ? undefined : await tx.lockIncident(name);
    if (incident === undefined) return { outcome: 'unknown', incident: undefined };
    const now = around.now();
    const fresh = await tx.hearOnce({ source, id, incidentId: incident.id, theirs }, now);
    if (!fresh) return { outcome: 'replayed', incident };
    if (says === undefined) return { outcome: 'unchanged', incident };
    const next = await answerIn(around, tx, incident, says, now);
    const noted = says.kind === 'note';
    return { outcome: next === incident && !noted ? 'unchanged' : 'taken', incident: next };
  });
}
