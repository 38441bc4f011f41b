/** Posts a webhook with a few tries, never in the way of what it tells of. */
import { describe } from '#kernel/errors.ts';
import { milliseconds } from '#kernel/units.ts';
import type { Stage } from '#simulators/stage.ts';

export type Outgoing = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For the log. */
  readonly event: string;
};
/** Returns at once, unless it is waited for. */
export type SendWebhook = (outgoing: Outgoing) => Promise<void>;

const FIRST_WAIT = 1000;
const TIMEOUT = milliseconds(10_000);
/** Deliveries under way; beyond it they are not made, and the log says so. */
const MOST_UNDER_WAY = 200;

export type SenderOptions = {
  readonly tries: number;
  /** Whether an answer that is not 2xx is worth another try. */
  readonly again: (status: number) => boolean;
};

export function makeSender(stage: Stage, { tries, again }: SenderOptions): SendWebhook {
  let underWay = 0;
  const send = async ({ url, headers, body, event }: Outgoing): Promise<void> => {
    for (let attempt = 1; attempt <= tries; attempt++) {
      const call = { method: 'POST', headers, body, timeout: TIMEOUT, signal: stage.closing } as const;
      try {
        const answer = await stage.http(url, call);
        await answer.body?.cancel();
        if (answer.ok) return;
        stage.log.warn({ event, attempt, status: answer.status }, 'A webhook was refused');
        if (!again(answer.status)) return;
      } catch (error) {
        stage.log.warn({ event, attempt, reason: describe(error) }, 'A webhook was not delivered');
      }
      if (attempt < tries) await stage.clock.sleep(milliseconds(FIRST_WAIT * 2 ** (attempt - 1)), stage.closing);
    }
  };
  return async (outgoing) => {
    if (underWay >= MOST_UNDER_WAY) {
      stage.log.warn({ event: outgoing.event }, 'A webhook is left out: too many are under way');
      return;
    }
    underWay++;
    // Only a wait that was aborted throws: the simulators are closing.
    await send(outgoing)
      .catch(() => {})
      .finally(() => underWay--);
  };
}
