/** Tells a job's webhooks what became of it: signed, a few tries, never in the way of the job. */
import { createHmac } from 'node:crypto';
import { uuidv7 } from '#kernel/random.ts';
import { eventOf, type Job, type Webhook } from '#simulators/llamaparse-job.ts';
import { jobView } from '#simulators/llamaparse-wire.ts';
import type { Stage } from '#simulators/stage.ts';
import { makeSender } from './webhook-sender.ts';

/** Returns at once: the delivery goes on by itself. */
export type Notify = (job: Job) => void;

const TRIES = 3;

export function makeNotify(stage: Stage): Notify {
  const send = makeSender(stage, { tries: TRIES, again: () => true });
  return (job) => {
    const event = eventOf(job.status);
    for (const hook of job.webhooks) {
      if (hook.events && !hook.events.includes(event)) continue;
      const body = bodyOf(job, event, hook, stage);
      const signature = hook.signingSecret && createHmac('sha256', hook.signingSecret).update(body).digest('hex');
      const headers = {
        ...hook.headers,
        'content-type': 'application/json',
        ...(signature ? { 'LC-Signature': `sha256=${signature}` } : {}),
      };
      void send({ url: hook.url, headers, body, event });
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
