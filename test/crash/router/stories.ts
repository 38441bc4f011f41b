/**
 * The client: stories of one or two alerts that fire, are told, and end. Each thing is said once and never again, whether it
 * is answered or not; an alert's end is said only when somebody was told that it fires, so that every one must be.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '#kernel/random.ts';
import type { Member } from '#test/crash/member.ts';
import { TEAMS } from './files.ts';
import type { Fleet } from './fleet.ts';
import type { Arrived, Receivers } from './receivers.ts';

export type Kind = 'critical' | 'warning' | 'generation' | 'silenced';
export type Story = {
  readonly kind: Kind;
  /** In every message about it. */
  readonly marker: string;
  readonly team: number;
  readonly begunAt: number;
  readonly alerts: { readonly labels: Readonly<Record<string, string>>; readonly answered: boolean }[];
  readonly lifetime: number;
  /** How its end was said. */
  ended: 'not' | 'said' | 'answered';
  acknowledged: 'not' | 'said' | 'answered';
  /** Not ended before its second step is taken. */
  held: boolean;
  /** A request about it is on its way. */
  busy: boolean;
  readonly generation: number;
};
export type SilenceSaid = { readonly id: string; readonly story: string };

export type Client = {
  readonly stories: readonly Story[];
  readonly silences: readonly SilenceSaid[];
  /** How often the files were written anew. */
  generation(): number;
  open(kind: 'critical' | 'warning', options?: { held?: boolean }): Promise<Story>;
  /** An alert, and then the files in which it has a route. */
  reload(): Promise<void>;
  /** And an alert that it holds, if it was answered. */
  silence(): Promise<void>;
  acknowledge(story: Story): Promise<void>;
  /** Arrived where the first step leads to. */
  isTold(story: Story): Arrived | undefined;
  run(stop: AbortSignal): Promise<void>;
  /** Whatever still fires ends now. */
  endAll(labels: readonly Readonly<Record<string, string>>[]): Promise<void>;
};

const REQUEST_LIMIT = 6_000;
const EVERY = 600;
const RELOADS_APART = 2_500;
const JOINS = 0.15;
const ACKNOWLEDGES = 0.1;
const SILENCES = 0.04;
/** Prometheus tells every router it knows. */
const TO_ALL = 0.3;
export const WHO = 'ada';

type Means = { readonly fleet: Fleet; readonly receivers: Receivers; readonly random: Random };

export function makeClient(means: Means): Client {
  const { fleet, random } = means;
  const stories: Story[] = [];
  const silences: SilenceSaid[] = [];
  const make = (kind: Kind, options: { held?: boolean; generation?: number } = {}): Story => {
    const story: Story = {
      kind,
      marker: `story-${String(stories.length + 1).padStart(5, '0')}`,
      team: stories.length % TEAMS,
      begunAt: Date.now(),
      alerts: [],
      lifetime: 1_500 + random.next() * 5_000,
      ended: 'not',
      acknowledged: 'not',
      held: options.held ?? false,
      busy: false,
      generation: options.generation ?? 0,
    };
    stories.push(story);
    return story;
  };
  const fire = async (story: Story): Promise<boolean> => {
    const labels = labelsOf(story);
    const to = random.next() < TO_ALL ? fleet.living() : [one(fleet, random)];
    const answers = await Promise.all(
      to.map((member) => post(fleet, member, '/api/v2/alerts', [posted(story, labels)])),
    );
    const answered = answers.some((answer) => answer !== undefined);
    story.alerts.push({ labels, answered });
    return answered;
  };
  const client: Client = {
    stories,
    silences,
    open: async (kind, options = {}) => {
      const story = make(kind, options);
      await fire(story);
      return story;
    },
    ...makeActs(means, silences, make, fire),
    isTold: (story) => toldOf(means.receivers, story),
    run: (stop) => stream(means, client, fire, stop),
    endAll: async (all) => {
      const body = all.map((labels) => ({ labels, endsAt: new Date().toISOString() }));
      for (let tries = 0; tries < 20 && body.length > 0; tries++) {
        if ((await post(fleet, one(fleet, random), '/api/v2/alerts', body)) !== undefined) return;
      }
    },
  };
  return client;
}

type Acts = Pick<Client, 'reload' | 'silence' | 'acknowledge' | 'generation'>;
type Make = (kind: Kind, options?: { generation?: number }) => Story;
type Fire = (story: Story) => Promise<boolean>;

/** What people do beside the alerts. */
function makeActs(means: Means, silences: SilenceSaid[], make: Make, fire: Fire): Acts {
  const { fleet, random } = means;
  let generation = 0;
  return {
    generation: () => generation,
    reload: async () => {
      generation++;
      await fire(make('generation', { generation }));
      fleet.files.write(generation);
      // One after the other, as it is done by hand; whoever dies over it, or is dead, reads them when it starts.
      for (const member of fleet.living()) {
        await post(fleet, member, '/-/reload', undefined);
        await sleep(random.next() * RELOADS_APART);
      }
    },
    silence: async () => {
      const story = make('silenced');
      const matchers = [{ name: 'service', value: story.marker, isRegex: false, isEqual: true }];
      const [startsAt, endsAt] = [new Date().toISOString(), new Date(Date.now() + 3_600_000).toISOString()];
      const body = { matchers, startsAt, endsAt, createdBy: WHO, comment: story.marker };
      const answer = await post(fleet, one(fleet, random), '/api/v2/silences', body);
      if (answer === undefined) return;
      silences.push({ id: (JSON.parse(answer) as { silenceID: string }).silenceID, story: story.marker });
      await fire(story);
    },
    acknowledge: async (story) => {
      const page = toldOf(means.receivers, story);
      if (page === undefined || story.ended !== 'not') return;
      story.acknowledged = 'said';
      const path = `/api/v1/incidents/${page.key}/acknowledge`;
      const answer = await post(fleet, one(fleet, random), path, { by: WHO });
      if (answer !== undefined) story.acknowledged = 'answered';
    },
  };
}

function toldOf(receivers: Receivers, { kind, marker, generation }: Story): Arrived | undefined {
  const [channel, target] =
    kind === 'generation' ? (['webhook', `gen-${generation}`] as const) : (['pagerduty', undefined] as const);
  return receivers.arrived.find(
    (one) => one.channel === channel && (target === undefined || one.target === target) && one.text.includes(marker),
  );
}

function labelsOf({ kind, marker, team, alerts, generation }: Story): Record<string, string> {
  const severity = kind === 'silenced' ? 'critical' : kind === 'generation' ? 'info' : kind;
  const own = kind === 'generation' ? { generation: String(generation) } : { team: String(team) };
  return { alertname: `A${alerts.length + 1}`, service: marker, severity, ...own };
}

const posted = (story: Story, labels: Readonly<Record<string, string>>) => ({
  labels,
  annotations: { summary: story.marker },
  startsAt: new Date().toISOString(),
});

/** Somebody who lives; whoever is dead does not answer. */
function one({ members, living }: Fleet, random: Random): Member | undefined {
  const from = living().length > 0 ? living() : members;
  return from[Math.floor(random.next() * from.length)];
}

/** @returns what was answered with 200; undefined: anything else, and nothing. */
async function post(fleet: Fleet, to: Member | undefined, path: string, body: unknown): Promise<string | undefined> {
  if (to === undefined) return undefined;
  try {
    const response = await fetch(`${fleet.urlOf(to)}${path}`, {
      method: 'POST',
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_LIMIT),
    });
    const text = await response.text();
    return response.status === 200 ? text : undefined;
  } catch {
    return undefined;
  }
}

async function stream(means: Means, client: Client, fire: Fire, stop: AbortSignal): Promise<void> {
  const { fleet, receivers, random } = means;
  const open = new Set<Promise<unknown>>();
  const start = (story: Story, work: () => Promise<unknown>) => {
    story.busy = true;
    const done = work().finally(() => {
      story.busy = false;
      open.delete(done);
    });
    open.add(done);
  };
  const end = async (story: Story) => {
    story.ended = 'said';
    const body = story.alerts.map(({ labels }) => ({ ...posted(story, labels), endsAt: new Date().toISOString() }));
    if ((await post(fleet, one(fleet, random), '/api/v2/alerts', body)) !== undefined) story.ended = 'answered';
  };
  while (!stop.aborted) {
    if (fleet.living().length > 0) {
      const opening = client.open(random.next() < 0.6 ? 'critical' : 'warning').finally(() => open.delete(opening));
      open.add(opening);
      if (random.next() < SILENCES) {
        const silencing = client.silence().finally(() => open.delete(silencing));
        open.add(silencing);
      }
    }
    for (const story of client.stories) {
      if (story.busy || story.ended !== 'not') continue;
      if (story.held)
        story.held = !receivers.arrived.some((a) => a.target === 'second' && a.text.includes(story.marker));
      const told = toldOf(receivers, story);
      if (told === undefined || story.held) continue;
      const age = Date.now() - told.at;
      if (age > story.lifetime) start(story, () => end(story));
      else if (story.kind === 'critical' && age > 500) {
        const chance = random.next();
        if (chance < JOINS && story.alerts.length === 1) start(story, () => fire(story));
        else if (chance > 1 - ACKNOWLEDGES && story.acknowledged === 'not')
          start(story, () => client.acknowledge(story));
      }
    }
    await sleep(EVERY);
  }
  await Promise.all(open);
}
