/**
 * Silences: what they hold, when they do, and what an edit makes of them. Pure.
 *
 * Source: prometheus/alertmanager silence/silence.go (validateSilence, Set, canUpdate, expire) and api/v2/api.go.
 */
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Labels } from './labels.ts';
import { isLabelName, MATCHERS_MAX, type Matcher, type MatcherMode, matchersText, matchesAll } from './matcher.ts';

export type SilenceDraft = {
  readonly matchers: readonly Matcher[];
  readonly startsAt: Milliseconds;
  readonly endsAt: Milliseconds;
  /** May be empty, as in Alertmanager. */
  readonly createdBy: string;
  readonly comment: string;
  /** Words of programs beside it; they hold nothing. */
  readonly annotations: Labels;
};
export type Silence = SilenceDraft & { readonly id: string; readonly updatedAt: Milliseconds };

export type SilenceState = 'pending' | 'active' | 'expired';

export function stateOf(silence: Pick<Silence, 'startsAt' | 'endsAt'>, now: Milliseconds): SilenceState {
  if (now < silence.startsAt) return 'pending';
  return now < silence.endsAt ? 'active' : 'expired';
}

/** Whatever the time is. */
export const silences = (silence: Pick<Silence, 'matchers'>, labels: Labels): boolean =>
  matchesAll(silence.matchers, labels);

/** What is wrong with it; undefined when it can be taken. */
export function checkSilence(draft: SilenceDraft, now: Milliseconds, mode: MatcherMode): string | undefined {
  const { matchers, startsAt, endsAt } = draft;
  if (matchers.length === 0) return 'a silence needs at least one matcher';
  if (matchers.length > MATCHERS_MAX)
    return `a silence has at most ${MATCHERS_MAX} matchers, this one ${matchers.length}`;
  const nameless = matchers.find(({ name }) => !isLabelName(name, mode));
  if (nameless !== undefined) return `${JSON.stringify(nameless.name)} is no label name`;
  if (matchers.every(holdsNothing)) {
    return 'at least one matcher must not match the empty text, else the silence holds every alert';
  }
  if (!(startsAt < endsAt)) return 'the start must be before the end';
  return endsAt < now ? 'the end must not be in the past' : undefined;
}

/** Only a matcher that asks for a label can be the empty text's: one with ! asks for another. */
const holdsNothing = ({ op, test }: Matcher): boolean => (op === '=' || op === '=~') && test('');

export type SilenceSet = {
  readonly kind: 'created' | 'updated' | 'replaced';
  readonly silence: Silence;
  /** What the replaced one becomes; undefined where it had expired before. */
  readonly expired: Silence | undefined;
};

/**
 * What was silenced in the past stays on record: an edit that would change it, or what is silenced, ends the known one
 * and makes another. A new one does not start in the past.
 *
 * @param newId for the one that may have to be made.
 */
export function setSilence(
  known: Silence | undefined,
  draft: SilenceDraft,
  newId: string,
  now: Milliseconds,
): SilenceSet {
  if (known !== undefined && isUpdate(known, draft, now)) {
    return { kind: 'updated', silence: { ...draft, id: known.id, updatedAt: now }, expired: undefined };
  }
  const startsAt = milliseconds(Math.max(draft.startsAt, now));
  const silence = { ...draft, startsAt, id: newId, updatedAt: now };
  if (known === undefined) return { kind: 'created', silence, expired: undefined };
  return { kind: 'replaced', silence, expired: expire(known, now) };
}

function isUpdate(known: Silence, draft: SilenceDraft, now: Milliseconds): boolean {
  if (matchersText(known.matchers) !== matchersText(draft.matchers)) return false;
  const state = stateOf(known, now);
  switch (state) {
    case 'active':
      // Clients show and send whole seconds.
      return wholeSeconds(known.startsAt) === wholeSeconds(draft.startsAt) && draft.endsAt >= now;
    case 'pending':
      return draft.startsAt >= now;
    case 'expired':
      return false;
    default:
      return state satisfies never;
  }
}

const wholeSeconds = (at: Milliseconds): number => Math.floor(at / 1000);

/** Ends it now; undefined when it has ended. */
export function expire(silence: Silence, now: Milliseconds): Silence | undefined {
  const state = stateOf(silence, now);
  if (state === 'expired') return undefined;
  const startsAt = state === 'pending' ? now : silence.startsAt;
  return { ...silence, startsAt, endsAt: now, updatedAt: now };
}
