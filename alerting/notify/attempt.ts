/** What every channel gets for one attempt. */
import type { Circumstances, Message } from '#alerting/message.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import type { Told } from './told.ts';

export type Means = { readonly http: Http; readonly clock: Clock; readonly random: Random; readonly log: Log };

export type Attempt = Means & {
  readonly message: Message;
  readonly told: Told;
  readonly circumstances: Circumstances;
  readonly signal: AbortSignal;
  /** Not to be repeated in an outcome beside the channel's own secrets: the signatures of links that act. */
  readonly hidden: readonly string[];
};
