/** While somebody is paged: a channel is down, or the router itself is killed. */
import { milliseconds } from '#kernel/units.ts';
import { postAlerts } from '#test/kit/alertmanager.ts';
import type { Scenario } from './scenario.ts';
import type { Stage, Vendor } from './stage.ts';
import { CHANNELS, type Holds } from './verdict.ts';

/** Its own, so that it is no part of another incident. */
const alertName = ({ run }: Stage): string => `ChaosDrill-${run}`;

async function alarm(stage: Stage): Promise<void> {
  const name = alertName(stage);
  const alert = {
    labels: { alertname: name, severity: 'critical', sloth_service: name },
    annotations: { summary: `${name}: something is badly broken` },
  };
  const { status } = await postAlerts(stage.ground.stack.target.router?.url ?? '', [alert]);
  if (status !== 200) throw new Error(`The router answered ${status} to an alert`);
}

const PAGED: Holds = {
  recoverWithin: milliseconds(30_000),
  ...{ paged: true, toldBy: CHANNELS, neighbour: 'undisturbed', kept: true },
};

const CHANNELS_DOWN = [
  ['slack-down', 'slack', 'Slack answers 503', { errorRate: 1, status: 503 }],
  ['pagerduty-down', 'pagerduty', 'PagerDuty answers 500', { errorRate: 1, status: 500 }],
  ['smtp-down', 'smtp', 'the mail server cuts every connection', { refuse: true }],
] as const satisfies readonly (readonly [string, Vendor, string, object])[];

export const PAGE_SCENARIOS: readonly Scenario[] = [
  ...CHANNELS_DOWN.map(
    ([name, vendor, words, plan]): Scenario => ({
      name,
      faults: `${words} while a critical alert comes, 20 s`,
      databases: ['embedded', 'postgres'],
      ...{ warm: 5, lasts: 20, after: 5, holds: PAGED, page: alertName },
      begin: async (stage) => {
        await stage.put(vendor, plan);
        await alarm(stage);
      },
      end: (stage) => stage.heal(),
    }),
  ),
  {
    name: 'router-killed',
    faults: 'the router is killed -9 with a page in hand (PagerDuty takes 3 s)',
    databases: ['embedded', 'postgres'],
    ...{ warm: 5, lasts: 5, after: 5, holds: PAGED, page: alertName },
    begin: async (stage) => {
      await stage.put('pagerduty', { latencyMs: 3_000 });
      await alarm(stage);
      await stage.wait(1_500);
      stage.scene.kill(stage.member('router'));
    },
    end: (stage) => stage.heal(),
  },
];
