/** The verdict: each rule is a sentence, and what breaks it is named. docs/crash-test.md says the same in words. */
import { type Failure, fail } from '#test/crash/rules.ts';
import type { Facts } from './evidence.ts';
import { type Arrived, CHANNELS } from './receivers.ts';
import { type Story, WHO } from './stories.ts';

export function judge(facts: Facts): Failure[] {
  const told = Map.groupBy(facts.arrived, markerOf);
  const of = (story: Story): Arrived[] => told.get(story.marker) ?? [];
  return [
    ...ofAccepted(facts, of),
    ...ofPages(facts, of),
    ...ofRepeats(facts),
    ...ofAnswers(facts, of),
    ...ofRest(facts),
  ];
}

type Of = (story: Story) => readonly Arrived[];
const markerOf = ({ text }: Arrived): string => /story-\d{5}/.exec(text)?.[0] ?? '';
const isAccepted = ({ alerts }: Story): boolean => alerts.some(({ answered }) => answered);
const MISSED = 'fired and resolved while unreachable';
const isPage = ({ action, text }: Arrived): boolean => action === 'trigger' || text.includes(MISSED);
const isEnd = ({ action }: Arrived): boolean => action === 'resolve';

function ofAccepted({ stories, stored, firing, arrived }: Facts, of: Of): Failure[] {
  const known = new Set(stored.alerts.map(({ labels }) => `${labels['service']} ${labels['alertname']}`));
  const lost = stories.flatMap((story) =>
    story.alerts
      .filter(({ answered, labels }) => answered && !known.has(`${story.marker} ${labels['alertname']}`))
      .map(({ labels }) => `${story.marker} ${labels['alertname']}`),
  );
  const undead = stories.filter(({ marker, ended }) => ended === 'answered' && firing.has(marker));
  const gone = stories.filter((story) => isAccepted(story) && story.ended === 'not' && !firing.has(story.marker));
  const strange = arrived.filter((one) => !stories.some(({ marker }) => marker === markerOf(one)));
  const generations = stories.filter((story) => story.kind === 'generation' && isAccepted(story));
  const unrouted = generations.filter(
    (story) => !of(story).some(({ target, channel }) => channel === 'webhook' && target === `gen-${story.generation}`),
  );
  return [
    ...fail('an alert that was answered 200 is in the store', lost),
    ...fail(
      'an end that was answered 200 has ended it',
      undead.map(({ marker }) => marker),
    ),
    ...fail(
      'what nobody has ended fires on',
      gone.map(({ marker }) => marker),
    ),
    ...fail(
      'nothing arrives that nobody sent',
      strange.map(({ text }) => text),
    ),
    ...fail(
      'what fires at a reload is told where the new files lead it',
      unrouted.map(({ marker }) => marker),
    ),
  ];
}

function ofPages({ stories, stored }: Facts, of: Of): Failure[] {
  const incidents = Map.groupBy(stored.incidents, ({ service }) => service);
  const [unopened, twice, unpaged, unended, unescalated]: string[][] = [[], [], [], [], []];
  for (const story of stories) {
    const { marker, kind, team } = story;
    if (kind !== 'critical' && kind !== 'warning') continue;
    const opened = incidents.get(marker)?.length ?? 0;
    if (kind === 'critical' && isAccepted(story) && opened === 0) unopened?.push(marker);
    if (opened > 1) twice?.push(`${marker}: ${opened}`);
    // One that was answered must be told; one that was not may be, and then wholly.
    if (!isAccepted(story) && of(story).length === 0) continue;
    const target = `${kind === 'critical' ? 'pager' : 'team'}-${team}`;
    for (const channel of CHANNELS) {
      const mine = of(story).filter((one) => one.channel === channel && one.target === target);
      if (!mine.some(isPage)) unpaged?.push(`${marker}: ${channel} of ${target}`);
      else if (!mine.some(isEnd)) unended?.push(`${marker}: ${channel} of ${target}`);
    }
    const second = of(story).some((one) => one.target === 'second' && isPage(one));
    if (kind === 'critical' && story.held && !second) unescalated?.push(marker);
  }
  return [
    ...fail('a critical alert that was answered 200 led to an incident', unopened ?? []),
    ...fail('one story is one incident', twice ?? []),
    ...fail('the first message of each arrived at each channel', unpaged ?? []),
    ...fail('whoever was told of a beginning was told of the end', unended ?? []),
    ...fail('the second step was taken where nobody answered', unescalated ?? []),
  ];
}

/** Of Slack, which has no key, the same words are the same message. Times are left out: a repeat is sent later. */
export function messageOf(one: Arrived): string {
  const lines = one.text.split('\n');
  const facts = lines
    .filter((line) => /^(?:State|Incident|Alerts|[a-z]+ \d+ )/.test(line))
    .map((line) => line.replace(/\s+/g, ' '));
  return [one.channel, one.target, one.action, lines[0], ...facts].join('\n');
}
/** By which the other side knows it again. PagerDuty's key is the incident's: its events are told apart by what they say. */
const identityOf = (one: Arrived): string =>
  one.channel === 'slack'
    ? messageOf(one)
    : `${one.channel}\n${one.target}\n${one.key}\n${one.channel === 'pagerduty' ? messageOf(one) : ''}`;

export type Repeat = { readonly first: Arrived; readonly again: Arrived };

export function repeatsOf(arrived: readonly Arrived[]): Repeat[] {
  return [...Map.groupBy(arrived, identityOf).values()].flatMap((all) =>
    all.slice(1).flatMap((again, i) => (all[i] === undefined ? [] : [{ first: all[i], again }])),
  );
}

function ofRepeats({ arrived, kills }: Facts): Failure[] {
  const repeats = repeatsOf(arrived);
  const without = repeats.filter(
    ({ first, again }) => !kills.some(({ at }) => at >= first.at - WINDOW && at <= again.at),
  );
  const unmarked = repeats.filter(({ again }) => again.channel === 'slack' && !again.mayRepeat);
  const keyed = arrived.filter(({ channel }) => channel === 'email' || channel === 'webhook');
  const twice = [...Map.groupBy(keyed, messageOf)].filter(([, all]) => new Set(all.map(({ key }) => key)).size > 1);
  const pagerduty = Map.groupBy(
    arrived.filter(({ channel }) => channel === 'pagerduty'),
    (one) => `${one.target} ${markerOf(one)}`,
  );
  const alerts = [...pagerduty].filter(([, all]) => new Set(all.map(({ key }) => key)).size > 1);
  const reopened = [...pagerduty].filter(([, all]) => {
    const end = all.findIndex(isEnd);
    return all[0]?.action !== 'trigger' || (end >= 0 && all.slice(end).some((one) => !isEnd(one)));
  });
  return [
    ...fail('nothing arrives twice but where a router was killed in between', without.map(said)),
    ...fail('a repeat in Slack says that it may be one', unmarked.map(said)),
    ...fail(
      'a mail or a webhook has one key',
      twice.map(([name]) => name.replaceAll('\n', ' | ')),
    ),
    ...fail(
      'PagerDuty has one alert for a story',
      alerts.map(([name]) => name),
    ),
    ...fail(
      'PagerDuty hears the beginning first and nothing after the end',
      reopened.map(([name, all]) => `${name}: ${all.map(({ action }) => action)}`),
    ),
  ];
}
/** A message is written down when it was read, a little after it was sent. */
const WINDOW = 500;
const said = ({ first, again }: Repeat): string =>
  `${messageOf(again).replaceAll('\n', ' | ')}, ${again.at - first.at} ms apart`;

function ofAnswers({ stories, stored, silences, inForce, configs, generation }: Facts, of: Of): Failure[] {
  const incidents = new Map(stored.incidents.map((one) => [one.service, one]));
  const forgotten = stories.filter(
    ({ acknowledged, marker }) => acknowledged === 'answered' && incidents.get(marker)?.acknowledgedBy !== WHO,
  );
  const paged = stored.incidents.filter(({ id, acknowledgedAt }) => {
    const rows = stored.timeline.filter(({ incidentId }) => incidentId === id).map(({ kind }) => kind);
    const at = rows.indexOf('acknowledged');
    return acknowledgedAt !== null && (at < 0 || rows.slice(at).includes('escalated'));
  });
  const kept = new Set(stored.silences.filter(({ endsAt }) => endsAt > Date.now()).map(({ id }) => id));
  const lapsed = silences.filter(({ id }) => !kept.has(id) || inForce.some((one) => !one.has(id)));
  const loud = stories.filter((story) => story.kind === 'silenced' && of(story).length > 0);
  const old = configs.filter((text) => generation > 0 && !text.includes(`gen-${generation}`));
  return [
    ...fail(
      'an acknowledgement that was answered 200 stays',
      forgotten.map(({ marker }) => marker),
    ),
    ...fail(
      'nobody is paged after an acknowledgement',
      paged.map(({ number }) => `incident ${number}`),
    ),
    ...fail(
      'a silence that was answered 200 is in force',
      lapsed.map(({ id }) => id),
    ),
    ...fail(
      'what is silenced is told to nobody',
      loud.map(({ marker }) => marker),
    ),
    ...fail(
      'files that were reloaded are in force',
      old.map(() => `generation ${generation} is missing`),
    ),
  ];
}

function ofRest({ stored }: Facts): Failure[] {
  const waiting = stored.notifications.filter(({ state }) => state === 'pending' || state === 'sending');
  const refused = stored.notifications.filter(({ state }) => state === 'refused');
  const open = stored.incidents.filter(({ state }) => state !== 'resolved');
  return [
    ...fail(
      'nothing waits for ever',
      waiting.map(({ id, destination }) => `${id} to ${destination}`),
    ),
    ...fail(
      'nothing is given up',
      refused.map(({ destination, error }) => `${destination}: ${error}`),
    ),
    ...fail('what has ended is let go', [
      ...open.map(({ number, state }) => `incident ${number} is ${state}`),
      ...stored.groups.map(({ id }) => `group ${id}`),
    ]),
  ];
}
