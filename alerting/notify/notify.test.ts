/** Every channel over real HTTP and SMTP, against the simulators; what people got stands in their inbox. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { seededRandom } from '#kernel/random.ts';
import { simulatorsFor } from '#simulators/harness.ts';
import { circumstances, emailTo, incidentMessage, pagerdutyTo, slackTo, webhookTo } from '#test/kit/notices.ts';
import { startReceiver } from '#test/kit/receiver.ts';
import { makeNotify } from './notify.ts';

const notify = makeNotify({ http, clock: systemClock, random: seededRandom(1), log: silentLog });

test('an incident reaches every channel', async (t) => {
  const { url, smtpPort } = await simulatorsFor(t);
  await using receiver = await startReceiver();
  const channels = [
    slackTo(`${url}/slack/services/T/B/X`),
    pagerdutyTo(`${url}/pagerduty/v2/enqueue`),
    webhookTo(receiver.url),
    emailTo(smtpPort),
  ];
  for (const channel of channels) {
    const outcome = await notify(channel, incidentMessage(), circumstances(), AbortSignal.timeout(8_000));
    assert.equal(outcome.kind, 'delivered', channel.kind);
  }
  const inbox = (await (await fetch(`${url}/inbox`)).json()) as { channel: string }[];
  assert.deepEqual(
    inbox.map(({ channel }) => channel),
    ['slack', 'pagerduty', 'email'],
  );
  assert.equal(receiver.received.length, 1);
});
