/** What the console asks of a whole embedded stack: documents and simulators by way of the router, and the audit trail. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { until } from '#test/kit/alertmanager.ts';
import { json, untilFinished, upload } from '#test/kit/client.ts';
import { cookieOf, KEYS, OWN, SESSION, say, signIn } from '#test/kit/console.ts';
import { type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

let folder = '';
let stack: Running | undefined;
let api = '';
let router = '';
before(async () => {
  folder = temporaryFolder();
  const env = { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero', CANARY_EVERY_SECONDS: '0', STEP_ATTEMPTS: '1' };
  stack = await startRole('start', env);
  ({ api = '', router = '' } = stack.urls);
});
after(async () => {
  await stack?.stop();
  removeFolder(folder);
});

type Item = Readonly<Record<string, unknown>>;
const get = async (path: string): Promise<Item> => {
  const { status, body, text } = await say('GET', `${router}${path}`);
  assert.equal(status, 200, text);
  return body;
};

test('the page knows that everything is on this machine', async () => {
  const session = await get(SESSION);
  assert.deepEqual([session['embedded'], session['anonymous']], [true, true]);
  assert.deepEqual(session['features'], { documents: true, simulators: true });
});

test('a vendor is broken, its documents fail, it is mended, and they are tried again: all by the router', async () => {
  const faults = `${router}/api/v1/simulators/faults`;
  const broken = await say('PUT', `${faults}/llamaparse`, OWN, { errorRate: 1, status: 500 });
  assert.deepEqual([broken.status, broken.body['errorRate']], [200, 1], broken.text);
  const wrong = await say('PUT', `${faults}/llamaparse`, OWN, { errorRate: 98 });
  assert.equal(wrong.status, 400);
  assert.match(String(wrong.body['detail']), /errorRate is 98, right would be a number from 0 to 1/);
  assert.equal((await say('PUT', `${faults}/nobody`, OWN, {})).status, 404);
  assert.equal((await say('PUT', `${faults}/openai`, { 'sec-fetch-site': 'same-site' }, {})).status, 403);
  const seen = await get('/api/v1/simulators/faults');
  assert.equal((seen['llamaparse'] as Item)['status'], 500);

  const { id } = (await upload(api, 'A leaking valve.', 'valve.txt')).body;
  await until('it fails', async () =>
    (await get(`/api/v1/documents/${id}`))['status'] === 'failed' ? true : undefined,
  );
  const failed = await get(`/api/v1/documents/${id}`);
  const [call] = failed['calls'] as Item[];
  assert.deepEqual([call?.['vendor'], call?.['outcome'], call?.['httpStatus']], ['llamaparse', 'failed', 500]);
  assert(Date.parse(String(call?.['endedAt'])) >= Date.parse(String(call?.['startedAt'])));
  const listed = (await get('/api/v1/documents?status=failed&limit=1'))['items'] as Item[];
  assert.equal(listed[0]?.['id'], id);
  assert.equal(((await get('/api/v1/pulse'))['finished'] as Item)['failed'], 1);

  assert.equal((await say('DELETE', faults, OWN)).status, 204);
  const retried = await say('POST', `${router}/api/v1/documents/${id}/retry`, OWN);
  assert.equal(retried.status, 202, retried.text);
  assert.equal((await untilFinished(api, id)).status, 'completed');
  const again = await say('POST', `${router}/api/v1/documents/${id}/retry`, OWN);
  assert.deepEqual([again.status, again.body['code']], [409, 'not_retryable']);
});

test('what reached people is shown, the last of it, and emptied', async () => {
  const inbox = `${router}/api/v1/simulators/inbox`;
  const simulators = stack?.urls['simulators'] ?? '';
  for (const text of ['one', 'two', 'three']) {
    await json('POST', `${simulators}/slack/services/T0/B0/simulated`, { text });
  }
  const texts = async (query: string) =>
    (JSON.parse((await say('GET', `${inbox}${query}`)).text) as { body: { text: string } }[]).map(
      ({ body }) => body.text,
    );
  assert.deepEqual((await texts('?channel=slack&limit=2')).slice(-2), ['two', 'three']);
  assert.equal((await say('GET', `${inbox}?channel=fax`)).status, 400);
  assert.equal((await say('DELETE', inbox, OWN)).status, 204);
  assert.deepEqual(await texts('?channel=slack'), []);
});

test('a person who signs in is known to all of it, and everything that was done is in the trail', async () => {
  const made = await say('POST', `${router}${KEYS}`, OWN, { name: 'Ann', roles: ['responder', 'operator'] });
  const signedIn = await signIn({ url: router }, { credential: made.body['key'] });
  const cookie = cookieOf(signedIn);
  assert.equal((await say('DELETE', `${router}${SESSION}`, { cookie, ...OWN })).status, 204);
  const left = await say('GET', `${router}${SESSION}`, { cookie });
  assert.equal(left.body['anonymous'], true);
  const { items } = (await get('/api/v1/audit?limit=100')) as unknown as { items: Record<string, string>[] };
  assert.deepEqual(items.map(({ subject, action, outcome }) => `${subject} ${action} ${outcome}`).toReversed(), [
    'anonymous simulators:break done',
    'anonymous simulators:mend done',
    'anonymous documents:retry done',
    'anonymous documents:retry refused',
    'anonymous simulators:empty done',
    'anonymous keys:create done',
    `key:${made.body['id']} sessions:begin done`,
    `key:${made.body['id']} sessions:end done`,
  ]);
});
