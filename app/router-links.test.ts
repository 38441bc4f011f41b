import assert from 'node:assert/strict';
import test from 'node:test';
import type { Integration } from '#alerting/config/config.ts';
import { secret } from '#kernel/secret.ts';
import { pagerduty, slack } from '#test/kit/alerting.ts';
import { deadLinks, leadsHere } from './router-links.ts';

const local = slack();
assert(local.kind === 'slack');
const realSlack: Integration = { ...local, url: secret('https://hooks.slack.com/services/T/B/x') };
const setupOf = (external: string, ways: readonly Integration[]) => ({
  links: { external, sign: () => '' },
  directory: new Map(ways.map((one, i) => [`receiver/r/${one.kind}[${i}]`, one])),
});

const cases: readonly [title: string, external: string, ways: readonly Integration[], found: string | undefined][] = [
  ['simulators on this machine read them here', 'http://127.0.0.1:9093', [slack(), pagerduty()], undefined],
  ['a telephone does not', 'http://127.0.0.1:9093', [slack(), realSlack], 'receiver/r/slack[1]'],
  ['localhost is this machine too', 'http://localhost:9093', [realSlack], 'receiver/r/slack[0]'],
  ['and so is IPv6', 'http://[::1]:9093', [realSlack], 'receiver/r/slack[0]'],
  ['an address of its own is for everybody', 'https://alerts.example.org', [realSlack], undefined],
];
for (const [title, external, ways, found] of cases) {
  test(`deadLinks(): ${title}`, () => assert.equal(deadLinks(setupOf(external, ways)), found));
}

test('leadsHere() knows an address that nobody else reaches', () => {
  assert.deepEqual(['http://127.0.0.1:1/x', 'http://localhost', 'https://example.org', 'nonsense'].map(leadsHere), [
    true,
    true,
    false,
    false,
  ]);
});
