/** Where the watch has its counts from: targets that it scrapes itself, or a PromQL server that has scraped them. */
import type { Milliseconds, Seconds } from '#kernel/units.ts';
import type { Engine } from '#slo/engine.ts';
import type { StallSample } from './worker-gone.ts';

export type Look = {
  /** The moment of which it tells: a server is asked for one that has settled. */
  readonly at: Milliseconds;
  /** Of the metrics by which a stall is told, at least. Undefined: nobody answered, and what was said of it stands. */
  readonly samples: readonly StallSample[] | undefined;
  /** Each target that was asked but the router itself: did it answer? */
  readonly answered: ReadonlyMap<string, boolean>;
  /** Of targets: where they are, and why one did not answer, as far as the source knows. */
  readonly about?: ReadonlyMap<string, { readonly url?: string; readonly because?: string }>;
  /** False: whoever is asked did not answer, which says nothing of the targets behind it. */
  readonly heard: boolean;
  /** Why it did not. */
  readonly unheard?: string;
};

export type SourceShown =
  | { readonly kind: 'scrape'; readonly targets: readonly string[] }
  /** Without what its address may hold of a name and a password. */
  | { readonly kind: 'promql'; readonly url: string };

export type Source = {
  readonly shown: SourceShown;
  /** How often it is asked. */
  readonly every: Seconds;
  /** Before the first look: says which targets there are, and what happened while nobody looked, if the source remembers it. */
  begin(engine: Engine): Promise<void>;
  /** Asks once, and enters what was answered. What is missing is the engine's to notice. */
  look(engine: Engine): Promise<Look>;
};
