/**
 * Corrections from a YAML file, each with its author and reason; every fault at once, each with its place.
 *
 * ```yaml
 * corrections:
 *   - id: database-upgrade
 *     author: platform team
 *     reason: agreed maintenance
 *     enteredAt: 2026-02-20T10:00:00Z
 *     objectives: [burnline-documents-documents-processed]   # or labels: {service: burnline-documents}
 *     from: 2026-03-01T01:00:00Z
 *     to: 2026-03-01T03:00:00Z
 *     # or repeat: {start: 2026-03-01T02:00, timeZone: Europe/Berlin, lasts: 2h, every: 1w, until: 2026-12-31T00:00:00Z}
 *     # Everything in that time, or badShare: 0.5, or badEvents: 120
 * ```
 *
 * Pure: the caller reads the file.
 */
import { Temporal } from '@js-temporal/polyfill';
import { z } from 'zod';
import { ratio, type Seconds, seconds } from '#kernel/units.ts';
import type { Correction, How, Span } from './ledger/corrections.ts';
import { expand, type Recurrence } from './ledger/recurrence.ts';
import { hold, told } from './openslo/document.ts';
import { readDuration } from './openslo/duration.ts';
import { readTrees } from './openslo/grow.ts';
import { type Findings, makeReport, type Report } from './openslo/report.ts';
import { find, type Path, place, type Tree } from './openslo/tree.ts';

const text = z.string().min(1).max(1_000);

const CORRECTION = z.strictObject({
  id: text,
  author: text,
  reason: text,
  enteredAt: text,
  objectives: z.array(text).min(1).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  from: text.optional(),
  to: text.optional(),
  repeat: z.strictObject({ start: text, timeZone: text, lasts: text, every: text, until: text }).optional(),
  badShare: z.number().gt(0).max(1).optional(),
  badEvents: z.number().gt(0).optional(),
});
const FILE = z.strictObject({ corrections: z.array(z.unknown()) });

/** A year of one a day, with others. */
export const CORRECTIONS_MAX = 1_000;

export type CorrectionsRead = Findings & { readonly corrections: readonly Correction[] };

/** @param known ids of objectives: a correction of one that nobody knows is told, since it would correct nothing. */
export function readCorrections(name: string, content: string, known: ReadonlySet<string>): CorrectionsRead {
  const { report, findings } = makeReport(true);
  const trees = readTrees(name, content, report);
  const corrections = trees.flatMap((tree) => readList(tree, report, known));
  if (trees.length === 0 && findings().faults.length === 0) {
    report.fault({ file: name, line: 1, column: 1 }, 'is empty: expected corrections');
  }
  return { corrections, ...findings() };
}

function readList(tree: Tree, report: Report, known: ReadonlySet<string>): Correction[] {
  const list = hold(FILE, tree, report) && find(tree, ['corrections']);
  if (list?.kind !== 'list') return [];
  if (list.items.length > CORRECTIONS_MAX) {
    report.fault(place(list), `holds ${list.items.length} corrections, the most is ${CORRECTIONS_MAX}`);
    return [];
  }
  const ids = new Set<string>();
  return list.items.flatMap((item) => {
    const one = readOne(item, report, known);
    if (one === undefined) return [];
    if (ids.has(one.id)) report.fault(place(item, ['id']), `is the id ${one.id} a second time: expected another`);
    ids.add(one.id);
    return [one];
  });
}

type Shape = z.infer<typeof CORRECTION>;

function readOne(tree: Tree, report: Report, known: ReadonlySet<string>): Correction | undefined {
  const value = hold(CORRECTION, tree, report);
  if (value === undefined) return undefined;
  const enteredAt = readMoment(tree, ['enteredAt'], report);
  const spans = value.repeat === undefined ? readSpan(tree, value, report) : readRepeat(tree, value, report);
  const { id, author, reason, objectives, labels, badShare, badEvents } = value;
  if ((objectives === undefined) === (labels === undefined)) {
    report.fault(place(tree), `correction ${id} needs either objectives (a list of ids) or labels`);
  }
  if (labels !== undefined && Object.keys(labels).length === 0) {
    report.fault(place(tree, ['labels']), 'labels are empty, which no objective is meant by');
  }
  if (badShare !== undefined && badEvents !== undefined) {
    report.fault(place(tree, ['badEvents']), 'badEvents stands beside badShare: expected one of them, or neither');
  }
  for (const [i, one] of (objectives ?? []).entries()) {
    if (!known.has(one))
      report.warn(place(tree, ['objectives', i]), `"${one}" is none of the objectives that were read`);
  }
  if (enteredAt === undefined || spans === undefined) return undefined;
  const of =
    labels === undefined ? ({ kind: 'ids', ids: objectives ?? [] } as const) : ({ kind: 'labels', labels } as const);
  return { id, author, reason, enteredAt, spans, of, how: howOf(badShare, badEvents) };
}

function howOf(share: number | undefined, events: number | undefined): How {
  if (share !== undefined) return { kind: 'bad', share: ratio(share) };
  return events === undefined ? { kind: 'all' } : { kind: 'events', bad: events };
}

function readSpan(tree: Tree, { from, to }: Shape, report: Report): readonly Span[] | undefined {
  if (from === undefined || to === undefined) {
    report.fault(place(tree), 'has no span: expected from and to, or repeat');
    return undefined;
  }
  const [begin, end] = [readMoment(tree, ['from'], report), readMoment(tree, ['to'], report)];
  if (begin === undefined || end === undefined) return undefined;
  if (end > begin) return [{ from: begin, to: end }];
  report.fault(place(tree, ['to']), `to is ${to}, which is not after from, ${from}`);
  return undefined;
}

function readRepeat(tree: Tree, { repeat, from, to }: Shape, report: Report): readonly Span[] | undefined {
  const at: Path = ['repeat'];
  if (from !== undefined || to !== undefined) {
    report.fault(place(tree, at), 'repeat stands beside from or to: expected one of them');
  }
  const until = readMoment(tree, [...at, 'until'], report);
  const lasts = readDuration(tree, [...at, 'lasts'], report);
  const every = readDuration(tree, [...at, 'every'], report);
  if (repeat === undefined || until === undefined || lasts === undefined || every === undefined) return undefined;
  const unit = UNITS[every.unit];
  if (unit === undefined) {
    report.fault(place(tree, [...at, 'every']), `every is ${repeat.every}: expected days, weeks or months, such as 1w`);
    return undefined;
  }
  const { start, timeZone } = repeat;
  const recurrence = { start, timeZone, lasts: lasts.length, every: { unit, count: every.count }, until };
  const expanded = expand(recurrence);
  if (expanded.kind === 'spans') return expanded.spans;
  report.fault(place(tree, at), expanded.reason);
  return undefined;
}

const UNITS: Readonly<Record<string, Recurrence['every']['unit']>> = { d: 'day', w: 'week', M: 'month' };

function readMoment(tree: Tree, path: Path, report: Report): Seconds | undefined {
  const found = find(tree, path);
  const moment = found?.kind === 'scalar' ? momentOf(String(found.value)) : undefined;
  if (moment === undefined && found !== undefined) {
    const right = 'expected a moment with its offset, such as 2026-03-01T02:00:00Z or 2026-03-01T02:00+01:00';
    report.fault(place(tree, path), `${path.at(-1)} is ${told(found)}: ${right}`);
  }
  return moment;
}

/** A moment as people write it, with its offset. */
export function momentOf(written: string): Seconds | undefined {
  try {
    const at = Temporal.Instant.from(written).epochMilliseconds / 1000;
    return at >= 0 ? seconds(at) : undefined;
  } catch {
    return undefined;
  }
}
