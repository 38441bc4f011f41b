/** A recorded baseline: what a target did, and how fast. Holds no id and no time, so that two records of one behaviour are the same. */
import { z } from 'zod';
import { Fault } from '#kernel/errors.ts';
import { type CheckName, type CheckResult, type Facts, type Samples, sortFacts } from './facts.ts';

export type Baseline = {
  readonly format: typeof FORMAT;
  /** Of the target that was recorded, as its OpenAPI document says. */
  readonly version: string;
  readonly behaviour: Facts;
  /** Empty where none was measured. */
  readonly performance: Samples;
};

/** Raised when facts get other names: an older record would differ everywhere and say nothing. */
const FORMAT = 1;
const schema = z.object({
  format: z.int(),
  version: z.string(),
  behaviour: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  performance: z.record(z.string(), z.array(z.number().nonnegative())),
});

export function baselineOf(version: string, results: readonly CheckResult[]): Baseline {
  const facts: Facts = Object.assign({}, ...results.map((one) => one.facts));
  const samples: Samples = Object.assign({}, ...results.map((one) => one.samples));
  const names = Object.keys(samples).sort();
  const rounded = names.map((name) => [name, (samples[name] ?? []).map(toTenth).sort((a, b) => a - b)] as const);
  return { format: FORMAT, version, behaviour: sortFacts(facts), performance: Object.fromEntries(rounded) };
}

const toTenth = (value: number): number => Math.round(value * 10) / 10;

/** One fact a line, so that a difference is read by anything that compares lines; the samples of an operation on one. */
export function writeBaseline({ format, version, behaviour, performance }: Baseline): string {
  const samples = Object.entries(performance).map(([name, of]) => `    ${JSON.stringify(name)}: [${of.join(', ')}]`);
  const facts = Object.entries(behaviour).map(
    ([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const block = (lines: readonly string[]): string => (lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`);
  return `{\n  "format": ${format},\n  "version": ${JSON.stringify(version)},\n  "behaviour": ${block(facts)},\n  "performance": ${block(samples)}\n}\n`;
}

/** @throws {Fault} `baseline_unfit`, with the file's name. */
export function readBaseline(text: string, file: string): Baseline {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new Fault('baseline_unfit', `Cannot read ${file} as a baseline: it is no JSON`, { cause });
  }
  const read = schema.safeParse(raw);
  if (!read.success) {
    const where = read.error.issues[0]?.path.join('.') || 'the whole';
    throw new Fault('baseline_unfit', `Cannot read ${file} as a baseline: it is wrong at ${where}`);
  }
  const { format } = read.data;
  if (format === FORMAT) return { ...read.data, format };
  throw new Fault(
    'baseline_unfit',
    `Cannot read ${file} as a baseline: its format is ${format}, this release reads ${FORMAT}`,
  );
}

/** Does the record hold anything of a check? What it does not hold cannot be compared. */
export const holds = ({ behaviour, performance }: Baseline, check: CheckName): boolean =>
  check === 'performance'
    ? Object.keys(performance).length > 0
    : Object.keys(behaviour).some((name) => name.startsWith(`${check}/`));
