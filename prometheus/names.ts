/**
 * What the compiled records are called and labelled. Sloth's names, so that dashboards made for Sloth work unchanged; the
 * `slo:events_*` series beneath them are ours.
 *
 * Source: https://sloth.dev/introduction/architecture/ and the generated examples of slok/sloth.
 */
import { days, hours, minutes, type Seconds } from '#kernel/units.ts';
import { durationText, literal, quoted } from './text.ts';

export const EVENTS_TOTAL = 'slo:events_total:increase1m';
export const EVENTS_BAD = 'slo:events_bad:increase1m';
export const BLOCKS_TOTAL = 'slo:events_total:increase5m';
export const BLOCKS_BAD = 'slo:events_bad:increase5m';
export const HOURS_TOTAL = 'slo:events_total:increase1h';
export const HOURS_BAD = 'slo:events_bad:increase1h';
/** Since the last sample of an hour: what the period's sum of hours still lacks. */
export const TAIL_TOTAL = 'slo:events_total:since_hour';
export const TAIL_BAD = 'slo:events_bad:since_hour';
/** What happened, where the objective's events are slices of it. */
export const SLICED_TOTAL = 'slo:sliced_total:increase1m';
export const SLICED_BAD = 'slo:sliced_bad:increase1m';

/** An objective is here under the tier that fires: its alerts look no further. */
export const BURNING = 'slo:burning:ratio';
/** The same, by too few events to wake anybody. */
export const BURNING_THINLY = 'slo:burning_thinly:ratio';
/** An objective is here if its series were seen within its period. */
export const WATCHED = 'slo:watched:ratio';
/** Here are targets of which no scrape goes well. */
export const UNSCRAPED = 'slo:unscraped:ratio';

/** How often events are counted; the pages' records follow at the same pace. */
export const STEP = minutes(1);
/** Windows of days are sums of blocks: a fifth of the samples, and still a window of a day is right to 0.3 %. */
export const BLOCK = minutes(5);
/** A period is a sum of hours and of the blocks since: a period of 28 days is right to 0.15 %. */
export const HOUR = hours(1);
/** From here on a window is made of blocks. Up to here it is made of steps, for a page must not wait for a block. */
export const BLOCKS_FROM = days(1);
/** Longer windows are made of hours. */
export const BLOCKS_TO = days(3);

/** Sloth records these for every objective, whatever its alerts. */
export const SHORT_WINDOWS = [minutes(5), minutes(30), hours(1), hours(2), hours(6), days(1), days(3)] as const;

export const ratioName = (window: Seconds): string => `slo:sli_error:ratio_rate${durationText(window)}`;

export const series = (name: string, id: string): string => `${name}{sloth_id=${quoted(id)}}`;

/** Those of several objectives: a rule for all of a service costs little more than a rule for one. */
export const seriesOf = (name: string, ids: readonly string[]): string =>
  ids.length === 1 ? series(name, ids[0] ?? '') : `${name}{sloth_id=~${quoted(ids.map(literal).join('|'))}}`;

/** One file a service. What a name may not hold, no file's name holds either. */
export const fileOf = (service: string): string =>
  `${service.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, FILE_NAME_MAX) || '_'}.yaml`;
const FILE_NAME_MAX = 100;
