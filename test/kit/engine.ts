/** The objectives that ship and a stack that they watch, as texts of scrapes: for tests of the engine. */
import { globSync, readFileSync } from 'node:fs';
import { type Seconds, seconds } from '#kernel/units.ts';
import { type Change, type Engine, type EngineOptions, enter, newEngine, tick } from '#slo/engine.ts';
import { readSamples } from '#slo/exposition/read-samples.ts';
import type { Objective } from '#slo/objective.ts';
import { readObjectives } from '#slo/openslo/read.ts';
import type { Verdict } from '#slo/verdict.ts';

export const START = seconds(1_750_000_000);
export const at = (offset: number): Seconds => seconds(START + offset);

const files = globSync('slo/objectives/*.yaml')
  .sort()
  .map((name) => ({ name, text: readFileSync(name, 'utf8') }));
export const SHIPPED = readObjectives(files, { strict: false, references: true }).objectives;
/** One of the shipped ones, by name. */
export function shipped(...names: string[]): Objective[] {
  return SHIPPED.filter(({ name }) => names.includes(name));
}

/** The counters of a worker; a test moves them. */
export type Worker = {
  completed: number;
  failed: number;
  attempts: number;
  badAttempts: number;
  /** Of embedding; those above are of parsing. */
  embedded: number;
  badEmbedded: number;
  age: number;
  startedAt: number;
};
export const newWorker = (): Worker => ({
  completed: 0,
  failed: 0,
  attempts: 0,
  badAttempts: 0,
  embedded: 0,
  badEmbedded: 0,
  age: 3,
  startedAt: START - 60,
});

export const workerText = (worker: Worker): string => `# TYPE documents_finished_total counter
documents_finished_total{outcome="completed"} ${worker.completed}
documents_finished_total{outcome="failed"} ${worker.failed}
# TYPE document_step_attempts_total counter
document_step_attempts_total{step="parse",outcome="completed"} ${worker.attempts}
document_step_attempts_total{step="parse",outcome="failed"} ${worker.badAttempts}
document_step_attempts_total{step="embed",outcome="completed"} ${worker.embedded}
document_step_attempts_total{step="embed",outcome="failed"} ${worker.badEmbedded}
# TYPE document_processing_duration_seconds histogram
document_processing_duration_seconds_bucket{le="30"} ${worker.completed}
document_processing_duration_seconds_bucket{le="+Inf"} ${worker.completed}
document_processing_duration_seconds_sum ${worker.completed * 2}
document_processing_duration_seconds_count ${worker.completed}
# TYPE document_oldest_unfinished_age_seconds gauge
document_oldest_unfinished_age_seconds ${worker.age}
# TYPE canary_finished_total counter
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_route="/v1/documents/:id",http_response_status_code="200",le="0.2"} ${worker.completed}
http_server_request_duration_seconds_bucket{http_route="/v1/documents/:id",http_response_status_code="200",le="+Inf"} ${worker.completed}
http_server_request_duration_seconds_sum{http_route="/v1/documents/:id",http_response_status_code="200"} ${worker.completed / 100}
http_server_request_duration_seconds_count{http_route="/v1/documents/:id",http_response_status_code="200"} ${worker.completed}
# TYPE process_start_time_seconds gauge
process_start_time_seconds ${worker.startedAt}
`;
export const ROUTER_TEXT = '# TYPE pages_total counter\n';

export type Stack = {
  engine: Engine;
  readonly worker: Worker;
  now: number;
  readonly interval: number;
  readonly said: Change[];
};

export function newStack(objectives: readonly Objective[], interval: number, options: EngineOptions = {}): Stack {
  return { engine: newEngine(objectives, START, options), worker: newWorker(), now: 0, interval, said: [] };
}

/** What happens in each second of a stretch. */
export type Second = (worker: Worker, second: number) => void;
export const healthy: Second = (worker) => {
  worker.completed++;
  worker.attempts++;
};
export const outage: Second = (worker) => {
  worker.failed++;
  worker.badAttempts++;
};

export function scrape(stack: Stack, target: string, text: string) {
  const { engine, now, interval } = stack;
  const exposition = readSamples(text, 'text', engine.book.plan.wanted);
  return enter(engine, { target, at: at(now), interval: seconds(interval) }, exposition);
}

/** Lets time pass, a second at a time. @param answers does the worker answer? The router always does. */
export function play(stack: Stack, length: number, second: Second, answers = true): Change[] {
  const changes: Change[] = [];
  for (const end = stack.now + length; stack.now < end; ) {
    stack.now++;
    second(stack.worker, stack.now);
    if (stack.now % stack.interval === 0) {
      if (answers) scrape(stack, 'worker', workerText(stack.worker));
      scrape(stack, 'router', ROUTER_TEXT);
    }
    if (stack.now % 5 === 0) changes.push(...tick(stack.engine, at(stack.now)));
  }
  stack.said.push(...changes);
  return changes;
}

export const word = (verdict: Verdict | undefined): string =>
  verdict === undefined ? 'none' : verdict.kind === 'burning' ? `${verdict.severity} ${verdict.rule}` : verdict.kind;

/** `[seconds since the start, objective, from → to]`, for comparison. */
export const told = (changes: readonly Change[]): readonly (readonly [number, string, string])[] =>
  changes.map((one) => [one.at - START, one.objective.name, `${word(one.from)} → ${word(one.to)}`]);

export const isPage = ({ to }: Change): boolean => to.kind === 'burning' && to.severity === 'critical';
