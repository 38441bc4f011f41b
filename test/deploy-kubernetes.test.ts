/** The manifests for Kubernetes: right by the types of Kubernetes and its operators, and by our own settings. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { after, describe } from 'node:test';
import { parse } from 'yaml';
import { readConfig } from '#app/config.ts';
import { defaultOf } from '#app/describe-settings.ts';
import { type Role, SETTING_NAMES } from '#app/settings.ts';
import { INSTRUMENT_NAMES } from '#collector/catalogue.ts';
import { burnline } from '#test/kit/cli.ts';
import {
  type Container,
  environmentOf,
  type Labels,
  type Manifest,
  ofKind,
  podsOf,
  render,
} from '#test/kit/manifests.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';

const CHECKER = process.env['TEST_TOOL_KUBERNETES'];
const FOLDER = 'deploy/kubernetes';
const OVERLAYS = ['production', 'simulated'] as const;
/** The Secrets that docs/deployment.md asks for, with values of the right form. */
const SECRETS = {
  DATABASE_URL: 'postgres://u:p@db/burnline',
  ROUTER_DATABASE_URL: 'postgres://u:p@db/router',
  WEBHOOK_SECRET: 'sixteen-letters-long',
  LLAMA_CLOUD_API_KEY: 'llx-0',
  OPENAI_API_KEY: 'sk-0',
};
/** Of others: names, Postgres, the Collector, Prometheus, HTTPS, mail. */
const OTHERS = [53, 5432, 4318, 9090, 443, 587];
const OURS = new Set(
  ['API_PORT', 'METRICS_PORT', 'SIMULATORS_PORT', 'SIMULATORS_SMTP_PORT'].map((name) =>
    Number(defaultOf(name as 'API_PORT')),
  ),
).add(Number(defaultOf('ROUTER_LISTEN')?.split(':')[1]));
const folder = temporaryFolder();
after(() => removeFolder(folder));

const isOurs = ({ image }: Container): boolean => /(^|\/)burnline:/.test(image);
const name = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;
const matches = (wanted: Labels, labels: Labels | undefined): boolean =>
  Object.entries(wanted).every(([key, value]) => labels?.[key] === value);

describe('kubernetes', { skip: CHECKER === undefined && 'the checker of manifests is not here' }, () => {
  for (const overlay of OVERLAYS) {
    describe(overlay, () => {
      const { objects, faults } = render(CHECKER ?? '', join(FOLDER, 'overlays', overlay));
      const containers = podsOf(objects).flatMap((pod) =>
        (pod.spec?.template?.spec.containers ?? []).map((one) => ({ pod, one })),
      );
      const ours = containers.filter(({ one }) => isOurs(one));

      test('is right by the types of Kubernetes and its operators, and by the restricted standard', () => {
        assert.equal(faults, '');
        assert(objects.length > 20);
      });

      test('starts each role: its environment has what it needs, and nothing that nobody reads', () => {
        assert(ours.length >= 4);
        for (const { pod, one } of ours) {
          const env = environmentOf(objects, one, SECRETS);
          for (const variable of Object.keys(env)) {
            assert(
              SETTING_NAMES.some((known) => known === variable),
              `${name(pod)}: ${variable} is no setting`,
            );
          }
          const [role = ''] = one.args ?? [];
          if (role === 'migrate') continue;
          const outcome = readConfig(role as Role, {}, { ...env, ...listens(role) });
          assert.deepEqual(outcome.kind === 'config' ? outcome.config.warnings : outcome.faults, [], name(pod));
        }
      });

      test('has no port that is not a setting’s, or of a program beside it', () => {
        for (const { pod, one } of ours) {
          for (const { containerPort } of one.ports ?? [])
            assert(OURS.has(containerPort), `${name(pod)}: ${containerPort}`);
        }
        const known = new Set([...OURS, ...OTHERS]);
        for (const policy of ofKind(objects, 'NetworkPolicy')) {
          const rules = [...(policy.spec?.ingress ?? []), ...(policy.spec?.egress ?? [])];
          for (const { port } of rules.flatMap(({ ports = [] }) => ports))
            assert(known.has(port), `${name(policy)}: ${port}`);
        }
        for (const service of ofKind(objects, 'Service')) {
          const pods = containers.filter(({ pod }) =>
            matches(service.spec?.selector as Labels, pod.spec?.template?.metadata.labels),
          );
          assert(pods.length > 0, `${name(service)} selects nothing`);
          for (const { port, targetPort } of service.spec?.ports ?? []) {
            const found = pods.flatMap(({ one }) => one.ports ?? []).find((one) => one.name === targetPort);
            assert.equal(found?.containerPort, port, name(service));
          }
        }
      });

      test('asks each role for its health where it answers', () => {
        const paths: Record<string, readonly string[]> = {
          router: ['/-/healthy', '/-/ready'],
          simulators: ['/healthz', '/healthz'],
        };
        for (const { pod, one } of ours.filter((each) => each.one.args?.[0] !== 'migrate')) {
          const [role = ''] = one.args ?? [];
          const probes = [one.livenessProbe, one.readinessProbe].map((probe) => probe?.httpGet?.path);
          assert.deepEqual(probes, paths[role] ?? ['/healthz', '/readyz'], name(pod));
          const ports = new Set((one.ports ?? []).map((each) => each.name));
          assert(ports.has(String(one.readinessProbe?.httpGet?.port)), name(pod));
        }
      });

      test('gives each pod limits, an account without a token, and each Deployment of a role a budget', () => {
        const accounts = ofKind(objects, 'ServiceAccount');
        for (const { pod, one } of containers) {
          assert(one.resources?.limits?.['memory'] && one.resources.requests?.['cpu'], name(pod));
          assert.equal(pod.spec?.template?.spec.automountServiceAccountToken, false, name(pod));
          const account = pod.spec?.template?.spec.serviceAccountName;
          if (account === undefined) continue;
          const found = accounts.find(({ metadata }) => metadata.name === account);
          assert.equal(found?.automountServiceAccountToken, false, `${name(pod)}: ${account}`);
        }
        const budgets = ofKind(objects, 'PodDisruptionBudget');
        for (const role of ['burnline-api', 'burnline-worker', 'burnline-router']) {
          const budget = budgets.find(({ metadata }) => metadata.name === role);
          const selector = budget?.spec?.selector as { matchLabels: Labels } | undefined;
          assert.deepEqual(selector?.matchLabels, { 'app.kubernetes.io/name': role });
        }
      });

      test('scales what is there', () => {
        for (const scaler of [...ofKind(objects, 'HorizontalPodAutoscaler'), ...ofKind(objects, 'ScaledObject')]) {
          const { kind, name: target } = scaler.spec?.scaleTargetRef ?? {};
          const found = objects.find((one) => one.kind === kind && one.metadata.name === target);
          assert(found, `${name(scaler)}: there is no ${kind} ${target}`);
          assert.equal(found.spec?.replicas, undefined, `${name(found)}: how many is its scaler’s to say`);
        }
      });
    });
  }

  test('production has two routers, workers by the age of the queue, and each role scraped as the rules know it', () => {
    const { objects } = render(CHECKER ?? '', join(FOLDER, 'overlays/production'));
    const router = ofKind(objects, 'Deployment').find(({ metadata }) => metadata.name === 'burnline-router');
    assert.equal(router?.spec?.replicas, 2);
    const scalers = ofKind(objects, 'HorizontalPodAutoscaler').map(({ metadata }) => metadata.name);
    assert.deepEqual(scalers, ['burnline-api'], 'two scalers of one Deployment would fight');
    const [scaled] = ofKind(objects, 'ScaledObject');
    const query = scaled?.spec?.triggers?.[0]?.metadata['query'] ?? '';
    const metric = /[a-z]+(?:_[a-z]+)+/.exec(query)?.[0];
    assert(
      INSTRUMENT_NAMES.some((known) => known === metric),
      `${metric} is not in the catalogue`,
    );
    const monitors = ofKind(objects, 'ServiceMonitor');
    assert.equal(monitors.length, 3);
    for (const monitor of monitors) {
      const selector = monitor.spec?.selector as { matchLabels: Labels } | undefined;
      const wanted = selector?.matchLabels ?? {};
      const service = ofKind(objects, 'Service').find(({ metadata }) => matches(wanted, metadata.labels));
      const ports = service?.spec?.ports?.map((port) => port.name) ?? [];
      for (const { port } of monitor.spec?.endpoints ?? []) assert(ports.includes(port), `${name(monitor)}: ${port}`);
    }
  });

  test('refuses a field that does not exist, a wrong type, and a pod that may do too much', () => {
    const broken = (what: string, to: string) => {
      const copy = join(folder, 'broken');
      cpSync(FOLDER, copy, { recursive: true });
      const file = join(copy, 'base/api.yaml');
      const text = readFileSync(file, 'utf8');
      assert(text.includes(what));
      writeFileSync(file, text.replace(what, to));
      return render(CHECKER ?? '', join(copy, 'overlays/production')).faults;
    };
    assert.match(
      broken('periodSeconds: 1,', 'periodSecond: 1,'),
      /Deployment burnline-api: .*unknown field.*periodSecond/,
    );
    assert.match(broken('maxReplicas: 6', 'maxReplicas: six'), /HorizontalPodAutoscaler burnline-api: .*maxReplicas/);
    assert.match(broken('runAsNonRoot: true', 'runAsNonRoot: false'), /Deployment burnline-api: .*runAsNonRoot/);
  });
});

/** As the image sets them. */
const listens = (role: string): Record<string, string> =>
  role === 'simulators' ? {} : { API_HOST: '0.0.0.0', METRICS_HOST: '0.0.0.0', ROUTER_LISTEN: '0.0.0.0:9093' };

test('the router’s files of the production overlay are right, once their secrets are there', async () => {
  const [from, to] = [join(FOLDER, 'overlays/production/router'), join(folder, 'router')];
  mkdirSync(join(to, 'secrets'), { recursive: true });
  const text = readFileSync(join(from, 'alertmanager.yml'), 'utf8');
  for (const [, path = ''] of text.matchAll(/_file: (\/etc\/burnline-secrets\/[\w-]+)/g)) {
    const value = path.endsWith('url')
      ? 'https://hooks.slack.com/services/T0/B0/x'
      : '0123456789abcdef0123456789abcdef';
    writeFileSync(join(to, 'secrets', basename(path)), value);
  }
  writeFileSync(join(to, 'alertmanager.yml'), text.replaceAll('/etc/burnline-secrets/', 'secrets/'));
  cpSync(join(from, 'oncall.yaml'), join(to, 'oncall.yaml'));
  const rulesOf = (file: string) => (parse(file) as { readonly inhibit_rules: unknown }).inhibit_rules;
  assert.deepEqual(rulesOf(text), rulesOf(readFileSync('alerting/defaults/alertmanager.yml', 'utf8')));
  const args = ['router', 'check-config', join(to, 'alertmanager.yml'), `--oncall.file=${join(to, 'oncall.yaml')}`];
  const { code, stdout, stderr } = await burnline(args);
  assert.equal(code, 0, `${stdout}${stderr}`);
});
