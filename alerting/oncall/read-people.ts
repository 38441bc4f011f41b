/** `people`: who can be told, and how. */
import type { Integration } from '#alerting/config/config.ts';
import type { ReadContact } from '#alerting/config/read.ts';
import { KINDS } from '#alerting/config/read-receiver.ts';
import { type Section, shown } from '#alerting/config/section.ts';
import type { Severity } from '#slo/verdict.ts';
import type { Contact, Person } from './model.ts';
import { readName } from './read-parts.ts';

const SEVERITIES = ['critical', 'warning', 'info'] as const satisfies readonly Severity[];
/** Those that are told to people; info is only written down. */
const TOLD: readonly Severity[] = ['critical', 'warning'];
const EXPECTED = KINDS.map((kind) => `${kind}_config`).join(', ');

/** All names are known afterwards, also of people with a fault: who refers to them is not wrong as well. */
export function readPeople(sections: readonly Section[], contact: ReadContact | undefined): Map<string, Person> {
  const found = new Map<string, Person>();
  for (const section of sections) {
    const name = readName(section, found, 'person');
    const displayName = section.text('display_name') || name;
    const counts = new Map<Integration['kind'], number>();
    const contacts = (section.sections('contacts') ?? []).flatMap((one) => readContact(one, counts, contact) ?? []);
    section.end();
    found.set(name, { name, displayName, contacts });
  }
  found.delete('');
  return found;
}

function readContact(
  section: Section,
  counts: Map<Integration['kind'], number>,
  read: ReadContact | undefined,
): Contact | undefined {
  const severities = readSeverities(section);
  const kinds = KINDS.filter((kind) => section.keys().includes(`${kind}_config`));
  const [kind, second] = kinds;
  if (kind === undefined) section.fault(undefined, `names no way: expected one of ${EXPECTED}`);
  if (second !== undefined) section.fault(`${second}_config`, `stands beside ${kind}_config: one way a contact`);
  const integrations = kinds.flatMap((one) => {
    const index = counts.get(one) ?? 0;
    counts.set(one, index + 1);
    const given = section.section(`${one}_config`);
    if (given === undefined) {
      if (!section.has(`${one}_config`)) section.fault(`${one}_config`, 'is empty: expected a map');
      return [];
    }
    // What it inherits is not known: alertmanager.yml has faults of its own.
    if (read === undefined) return [];
    const integration = read(one, given, index);
    given.end();
    return integration ?? [];
  });
  section.end();
  const [integration] = integrations;
  return integration && { integration, severities };
}

function readSeverities(section: Section): readonly Severity[] {
  const texts = section.texts('severities');
  if (texts === undefined) return TOLD;
  if (texts.length === 0) section.fault('severities', 'is an empty list, with which it is never used: leave it out');
  return texts.flatMap(({ text, fault }) => {
    const known = SEVERITIES.find((one) => one === text);
    if (known === undefined) fault(`is ${shown(text)}: expected one of ${SEVERITIES.join(', ')}`);
    return known ?? [];
  });
}
