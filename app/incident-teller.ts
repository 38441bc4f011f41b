/** An incident as a command follows it on a terminal: each line of its timeline once, as it comes. */
import { askRouter } from './router-client.ts';
import { leadsHere } from './router-links.ts';
import { type IncidentDetail, incidentDetail, type TimelineView } from './router-wire.ts';
import { oneLine, paint, span } from './terminal.ts';

export type Teller = (incident: IncidentDetail) => void;

export const incidentById = (id: string): Promise<IncidentDetail> =>
  askRouter(`/api/v1/incidents/${id}`, incidentDetail);

export function makeTeller(say: (line: string) => void): Teller {
  let known = 0;
  let isWarned = false;
  return (incident) => {
    const { external } = incident.links;
    if (known === 0) say(`Incident #${incident.number}: ${oneLine(incident.title)}`);
    if (!isWarned && leadsHere(external)) {
      say(
        paint(
          'yellow',
          `The links in it lead to ${external}, which nobody reaches from elsewhere: set ROUTER_EXTERNAL_URL`,
        ),
      );
    }
    isWarned = true;
    const [first] = incident.timeline;
    for (const row of incident.timeline.slice(known)) say(`${sinceOf(first, row).padStart(8)}  ${lineOf(row)}`);
    known = incident.timeline.length;
  };
}

/** By the router's own clock: when it happened, not when it was seen here. */
const sinceOf = (first: TimelineView | undefined, { at }: TimelineView): string =>
  span(Date.parse(at) - Date.parse(first?.at ?? at));

const lineOf = ({ kind, because }: TimelineView): string => `${kind.padEnd(12)}  ${oneLine(because)}`;
