/** What a scenario is: data, and what it does. */
import type { StackWish } from '#test/load/stack.ts';
import type { Needs, Pace, Stage } from './stage.ts';
import type { Holds } from './verdict.ts';

export type Scenario = {
  readonly name: string;
  /** What is done, for how long; as the table says it. */
  readonly faults: string;
  readonly databases: readonly StackWish['database'][];
  /** On Postgres; default: 1. */
  readonly workers?: number;
  readonly needs?: Needs;
  /** Seconds: before the fault; of the fault; after it. */
  readonly warm: number;
  readonly lasts: number;
  readonly after: number;
  /** Documents a second; default: 2, and 0.3 of the other tenant. */
  readonly pace?: Pace;
  readonly holds: Holds;
  begin(stage: Stage): Promise<void>;
  end(stage: Stage): Promise<void>;
  /** A word that stands in its page: where another page may come too. */
  page?(stage: Stage): string;
};
