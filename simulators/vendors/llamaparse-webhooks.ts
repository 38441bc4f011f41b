/** Tells a job's webhooks what became of it: signed, a few tries, never in the way of the job. */
import { createHmac } from 'node:crypto';
import { describe } from '#kernel/errors.ts';
import { uuidv7 } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { eventOf, type Job, type Webhook } from '#simulators/llamaparse-job.ts';
import { jobView } from '#simulators/llamaparse-wire.ts';
import type { Stage } from '#simulators/stage.ts';

/** Returns at once: the delivery goes on by itself. */
export type Notify = (job: Job) => void;

const TRIES = 3;
const FIRST_WAIT = 1000;
const TIMEOUT = milliseconds(10_000);
/** Deliveries under way; beyond it they are not made, and the log says so. */
const MOST_UNDER_WAY = 200;

export function makeNotify(stage: Stage): Notify {
  let underWay = 0;
  const deliver = async (hook: Webhook, body: string, event: string) => {
    const signature = hook.signingSecret && createHmac('sha256', hook.signingSecret).update(body).digest('hex');
    const headers = {
      ...hook.headers,
      'content-type': 'application/json',
      ...(signature ? { 'LC-Signature': `sha256=${signature}` } : {}),
    };
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      try {
        const answer = await stage.http(hook.url, {
          method: 'POST',
          headers,
          body,
          timeout: TIMEOUT,
          signal: stage.closing,
        });
        await answer.body?.cancel();
        if (answer.ok) return;
        stage.log.warn({ event, attempt, status: answer.status }, 'A webhook was refused');
      } catch (error) {
        stage.log.warn({ event, attempt, reason: describe(error) }, 'A webhook was not delivered');
      }
      if (attempt < TRIES) await stage.clock.sleep(milliseconds(FIRST_WAIT * 2 ** (attempt - 1)), stage.closing);
    }
  };
  return (job) => {
    const event = eventOf(job.status);
    for (const hook of job.webhooks) {
      if (hook.events && !hook.events.includes(event)) continue;
      if (underWay >= MOST_UNDER_WAY) {
        stage.log.warn({ event, job: job.id }, 'A webhook is left out: too many are under way');
        continue;
      }
      underWay++;
      void deliver(hook, bodyOf(job, event, hook, stage), event)
        .catch(() => {}) // only an aborted wait: the simulators are closing
        .finally(() => underWay--);
    }
  };
}

/** `string` (the vendor's default) is the JSON as a JSON string: encoded twice. */
function bodyOf(job: Job, event: string, hook: Webhook, stage: Stage): string {
  const body = JSON.stringify({
    event_id: uuidv7(stage.clock.now(), stage.random),
    event_type: event,
    timestamp: new Date(stage.clock.now()).toISOString(),
    data: { ...jobView(job, true), job_id: job.id },
  });
  return hook.asObject ? body : JSON.stringify(body);
}
