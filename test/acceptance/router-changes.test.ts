/** A release is told by a command, reaches PagerDuty, and is in the report of what breaks after it: real processes. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { getJson, postAlerts, until } from '#test/kit/alertmanager.ts';
import { burnline } from '#test/kit/cli.ts';
import { type Running, startRole, temporaryFolder, withFiles } from '#test/kit/stack.ts';

type Event = {
  readonly target: string;
  readonly effect: string;
  readonly body: { readonly payload: Readonly<Record<string, unknown>>; readonly links: unknown };
};
const HOUR = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();

describe('changes', () => {
  let folder = '';
  let simulators: Running | undefined;
  let router: Running | undefined;
  const url = () => router?.urls['router'] ?? '';
  const vendors = () => simulators?.urls['simulators'] ?? '';
  const run = async (...args: string[]) => await burnline(args, { BURNLINE_ROUTER_URL: url() });
  const post = async (body: unknown) =>
    await fetch(`${url()}/api/v1/changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const told = async () =>
    (await getJson<Event[]>(`${vendors()}/inbox?channel=pagerduty`)).filter(({ effect }) => effect === 'change');

  before(async () => {
    folder = temporaryFolder();
    simulators = await startRole('simulators', { BURNLINE_STATE: folder, SIMULATORS_LATENCY: 'zero' });
    const pager = (key: string) =>
      `pagerduty_configs: [{routing_key: ${key}, url: '${vendors()}/pagerduty/v2/enqueue'}]`;
    const [config, oncall] = [join(folder, 'alertmanager.yml'), join(folder, 'oncall.yaml')];
    writeFileSync(
      config,
      `route:
  receiver: all
  group_by: [service]
  group_wait: 0s
  routes:
  - {receiver: docs, matchers: ['service="docs"']}
receivers:
- {name: all, ${pager('of-all')}}
- {name: docs, ${pager('of-docs')}}
- {name: second, ${pager('of-second')}}
- {name: same, ${pager('of-docs')}}
- {name: quiet, slack_configs: [{api_url: '${vendors()}/slack/services/T0/B0/x'}]}
`,
    );
    writeFileSync(
      oncall,
      `policies:
- name: docs
  steps:
  - targets: [{receiver: docs}]
  - {delay: 1h, targets: [{receiver: second}, {receiver: quiet}]}
`,
    );
    router = await startRole('router', { BURNLINE_STATE: folder }, withFiles(config, oncall));
  });
  after(async () => {
    await router?.kill();
    await simulators?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a release of a service is told to whoever its pages go to, also when PagerDuty stumbles', async () => {
    await fetch(`${vendors()}/faults/pagerduty`, { method: 'PUT', body: '{"status": 503, "times": 1}' });
    const at = ago(0.5);
    const { code, stdout, stderr } = await run(
      ...['changes', 'add', 'release 1.4', '--service', 'docs', '--source', 'ci', '--at', at, '--detail', 'commit=abc'],
      ...['--link', 'run=https://ci.example.org/7?a=b', '--link', 'https://example.org/notes'],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /is told to receiver\/docs\/pagerduty\[0\], receiver\/second\/pagerduty\[0\]$/m);
    const events = await until('both are told', async () => {
      const found = await told();
      return found.length === 2 ? found : undefined;
    });
    assert.deepEqual(events.map(({ target }) => target).sort(), ['of-docs', 'of-second']);
    assert.deepEqual(events[0]?.body.payload, {
      summary: 'release 1.4',
      source: 'ci',
      timestamp: at,
      custom_details: { commit: 'abc' },
    });
    assert.deepEqual(events[0]?.body.links, [
      { href: 'https://ci.example.org/7?a=b', text: 'run' },
      { href: 'https://example.org/notes', text: 'https://example.org/notes' },
    ]);
  });

  test('one of no service is told to all, once for each key', async () => {
    const answer = await post({ summary: 'new firewall' });
    assert.equal(answer.status, 200);
    const { told: to } = (await answer.json()) as { told: string[] };
    assert.deepEqual(to, ['receiver/all/pagerduty[0]', 'receiver/docs/pagerduty[0]', 'receiver/second/pagerduty[0]']);
    await until('they are told', async () => ((await told()).length === 5 ? true : undefined));
  });

  test('the report of an incident has those of its service and of none, of two hours', async () => {
    await post({ summary: 'long before', service: 'docs', at: ago(2.1) });
    await post({ summary: 'just in time | <b>', service: 'docs', at: ago(1.9) });
    await post({ summary: 'of another service', service: 'search', at: ago(1) });
    await postAlerts(url(), [{ labels: { alertname: 'Down', service: 'docs', severity: 'critical' } }]);
    await until('it is an incident', async () => {
      const { items } = await getJson<{ items: unknown[] }>(`${url()}/api/v1/incidents`);
      return items[0];
    });
    await post({ summary: 'rolled back', service: 'docs' });
    const report = await (await fetch(`${url()}/api/v1/incidents/1/report`)).text();
    const [, part = ''] = /## Changes in the two hours before[^\n]*\n\n([\s\S]*?)\n\n## /.exec(report) ?? [];
    const summaries = part.split('\n').map((line) => line.replace(/^- [\d: -]{19}: /, ''));
    assert.deepEqual(summaries, [
      'just in time \\| &lt;b> (burnline, docs)',
      'release 1.4 (ci, docs) [run](<https://ci.example.org/7?a=b>) [link](<https://example.org/notes>)',
      'new firewall (burnline)',
      'rolled back (burnline, docs)',
    ]);
  });

  test('they are listed newest first, page by page', async () => {
    const { stdout } = await run('changes', '--json');
    const all = (JSON.parse(stdout) as { summary: string }[]).map(({ summary }) => summary);
    assert.equal(all.length, 6);
    assert.deepEqual([all[0], all.at(-1)], ['rolled back', 'long before']);
    const paged: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await getJson<{ items: { summary: string }[]; nextCursor: string | null }>(
        `${url()}/api/v1/changes?limit=2${cursor}`,
      );
      paged.push(...page.items.map(({ summary }) => summary));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    assert.deepEqual(paged, all);
    assert.match((await run('changes')).stdout, /^AT .*SUMMARY\n.*rolled back$/m);
  });

  test('a pipeline that tells the same release again, under its key, tells it once', async () => {
    const before = (await told()).length;
    const add = async (summary: string) =>
      JSON.parse((await run('changes', 'add', summary, '--service', 'docs', '--key', 'run/7', '--json')).stdout) as {
        readonly id: string;
        readonly summary: string;
      };
    const [first, again] = [await add('release 2.0'), await add('release 2.0, tried again')];
    assert.deepEqual(again, first);
    const other = await (await post({ summary: 'release 2.1', service: 'docs', key: 'run/8' })).json();
    assert.notEqual((other as { readonly id: string }).id, first.id);
    // Two keys for each: those of docs and of its second step.
    await until('four have arrived', async () => ((await told()).length >= before + 4 ? true : undefined));
    assert.equal((await told()).length, before + 4);
  });

  test('what is wrong is refused with its reason, and nothing is kept', async () => {
    const wrong: unknown[] = [
      {},
      { summary: ' ' },
      { summary: 'x'.repeat(1_025) },
      { summary: 'a\0b' },
      { summary: 'x', at: 'yesterday' },
      { summary: 'x', at: new Date(Date.now() + 2 * HOUR).toISOString() },
      { summary: 'x', links: [{ href: 'javascript:alert(1)' }] },
      { summary: 'x', details: { a: 1 } },
    ];
    for (const body of wrong) assert.equal((await post(body)).status, 400, JSON.stringify(body));
    assert.equal((await getJson<{ items: unknown[] }>(`${url()}/api/v1/changes`)).items.length, 8);
    // A place that no moment has: a store would refuse it, and it would seem to be our fault.
    assert.equal((await fetch(`${url()}/api/v1/changes?cursor=482773561324704-x`)).status, 400);
    const { code, stderr } = await run('changes', 'add', 'x', '--link', 'nowhere');
    assert.equal(code, 2);
    assert.match(stderr, /expected https/);
  });
});
