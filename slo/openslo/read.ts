/**
 * Objectives from the texts of files: OpenSLO v1, and Sloth's prometheus/v1. Every fault of every file at once, each with
 * its place. Never throws, and its work is bounded by the limits of tree.ts and promql.ts.
 *
 * Pure: the caller reads the files.
 */
import type { Objective } from '#slo/objective.ts';
import type { Located, ObjectiveDocument } from './document.ts';
import { readDocuments } from './document.ts';
import { readTrees } from './grow.ts';
import { checkFiring } from './never-firing.ts';
import { type Finding, makeReport, type Report } from './report.ts';
import { checkDocument } from './rules.ts';
import type { Kind, Shape } from './shapes.ts';
import { type Index, type LeftOut, resolveSlo } from './slo.ts';
import { resolveSloth } from './sloth.ts';
import { place, type Tree } from './tree.ts';

export type ObjectiveFile = { readonly name: string; readonly text: string };
export type ReadOptions = {
  /** By OpenSLO's own SDK; else by its README and published examples, and the difference is warned of. */
  readonly strict: boolean;
  /** Are references held to what the files define? */
  readonly references: boolean;
};
export type ObjectivesRead = {
  readonly objectives: readonly Objective[];
  readonly faults: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** Held by the files, and judged by neither eye. Each has its warning (strictly: its fault) too. */
  readonly leftOut: readonly LeftOut[];
  readonly documents: readonly ObjectiveDocument[];
};

/** What a folder of a large organisation has; each file's own limit holds beside it. */
export const FILES_MAX = 2_000;

export function readObjectives(files: readonly ObjectiveFile[], options: ReadOptions): ObjectivesRead {
  const { report, findings } = makeReport(options.strict);
  const documents: ObjectiveDocument[] = [];
  for (const { name, text } of files.slice(0, FILES_MAX)) {
    const trees = readTrees(name, text, report);
    documents.push(...trees.flatMap((tree) => readDocuments(tree, report)));
  }
  const extra = files[FILES_MAX];
  if (extra)
    report.fault({ file: extra.name, line: 1, column: 1 }, `is file ${FILES_MAX + 1}: the most is ${FILES_MAX}`);
  const { index, kept } = makeIndex(documents, options.references, report);
  const objectives: Objective[] = [];
  const leftOut: LeftOut[] = [];
  for (const document of kept) {
    checkDocument(document, report);
    if (document.kind !== 'SLO' && document.kind !== 'sloth') continue;
    const resolved = document.kind === 'SLO' ? resolveSlo(document, index, report) : resolveSloth(document, report);
    objectives.push(...resolved.objectives);
    leftOut.push(...resolved.leftOut);
  }
  for (const one of leftOut) report.strictly(one, `${one.id} is left out: its query ${one.because}`);
  const distinct = withoutDoubles(objectives, report);
  for (const objective of distinct) checkFiring(objective, report);
  return { objectives: distinct, leftOut, documents: kept, ...findings() };
}

/** The documents by kind and name, the first of each name; the others are told. */
function makeIndex(documents: readonly ObjectiveDocument[], references: boolean, report: Report) {
  const byKind = new Map<string, Map<string, Located<unknown>>>();
  const kept = documents.filter((document) => {
    if (document.kind === 'sloth') return true;
    const { name } = document.value.metadata;
    const names = byKind.get(document.kind) ?? new Map<string, Located<unknown>>();
    byKind.set(document.kind, names);
    const first = names.get(name);
    if (first === undefined) names.set(name, document);
    else
      report.fault(
        place(document.tree, ['metadata', 'name']),
        `defines the ${document.kind} ${name} again, first at ${at(first.tree)}`,
      );
    return first === undefined;
  });
  const named = <K extends Kind>(kind: K) => (byKind.get(kind) ?? new Map()) as ReadonlyMap<string, Located<Shape<K>>>;
  const index: Index = {
    references,
    dataSources: named('DataSource'),
    indicators: named('SLI'),
    services: named('Service'),
    policies: named('AlertPolicy'),
    conditions: named('AlertCondition'),
    targets: named('AlertNotificationTarget'),
  };
  return { index, kept };
}

function at(tree: Tree): string {
  const { file, line, column } = place(tree, ['metadata', 'name']);
  return `${file}:${line}:${column}`;
}

/** Ids are what alerts, records and pages go by: `a-b` of service c and `b` of service c-a would be one. */
function withoutDoubles(objectives: readonly Objective[], report: Report): Objective[] {
  const first = new Map<string, Objective>();
  for (const objective of objectives) {
    const { id, source } = objective;
    const other = first.get(id);
    if (other === undefined) first.set(id, objective);
    else {
      const there = `${other.source.file}:${other.source.line}:${other.source.column}`;
      report.fault(source, `has the id ${id}, as the objective at ${there}: expected another name`);
    }
  }
  return [...first.values()];
}
