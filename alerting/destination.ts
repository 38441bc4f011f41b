/**
 * Where a notification goes, by name: looked up in the configuration when it is sent, so that the outbox holds no secret,
 * and a mended configuration mends what waits. Pure.
 */
import type { Integration } from './config/config.ts';
import type { Oncall } from './oncall/model.ts';

export type Channel = Integration['kind'];
/** `receiver/oncall/slack[0]`, `person/ada/email[1]`. Names may hold a slash; the ends do not. */
export type Destination = string;

export type Addressed = { readonly destination: Destination; readonly integration: Integration };

const nameOf = (kind: 'receiver' | 'person', name: string, { kind: channel, index }: Integration): Destination =>
  `${kind}/${name}/${channel}[${index}]`;

export const ofReceiver = (name: string, integrations: readonly Integration[]): Addressed[] =>
  integrations.map((integration) => ({ destination: nameOf('receiver', name, integration), integration }));

export const ofPerson = (name: string, integrations: readonly Integration[]): Addressed[] =>
  integrations.map((integration) => ({ destination: nameOf('person', name, integration), integration }));

/** Whom a destination is of: `receiver/oncall/slack[0]` is of the receiver `oncall`. */
export function ownerOf(destination: Destination): { readonly to: 'person' | 'receiver'; readonly name: string } {
  const name = destination.slice(destination.indexOf('/') + 1, destination.lastIndexOf('/'));
  return { to: destination.startsWith('person/') ? 'person' : 'receiver', name };
}

export type Directory = ReadonlyMap<Destination, Integration>;

/** Every destination that the configuration knows. */
export function directoryOf(
  receivers: ReadonlyMap<string, { readonly integrations: readonly Integration[] }>,
  people: Oncall['people'],
): Directory {
  const all: Addressed[] = [];
  for (const [name, { integrations }] of receivers) all.push(...ofReceiver(name, integrations));
  for (const [name, { contacts }] of people) {
    all.push(
      ...ofPerson(
        name,
        contacts.map((contact) => contact.integration),
      ),
    );
  }
  return new Map(all.map(({ destination, integration }) => [destination, integration]));
}
