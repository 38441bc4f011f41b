/**
 * Sloth's files: `version: prometheus/v1`, and the same as a Kubernetes resource. Sloth judges over 30 days, rolling,
 * whatever the file says, since the file can not say it.
 *
 * Source: https://github.com/slok/sloth, pkg/prometheus/api/v1 and pkg/kubernetes/api/sloth/v1
 */
import { days } from '#kernel/units.ts';
import { type Alerting, DEFAULT_ALERTING, type Indicator, type Objective } from '#slo/objective.ts';
import { alertingAnnotations, runbookOf } from './alerting.ts';
import { items, type Located, part, type SlothDocument, textsAt } from './document.ts';
import { type Reading, readErrorRatio, readEvents } from './indicator.ts';
import type { Report } from './report.ts';
import { checkName } from './rules.ts';
import type { SlothSlo } from './shapes.ts';
import type { LeftOut } from './slo.ts';
import { checkPercent } from './target.ts';
import { find, keyPlace, place } from './tree.ts';

const SLOTH_DAYS = 30;

export function resolveSloth(document: SlothDocument, report: Report): { objectives: Objective[]; leftOut: LeftOut[] } {
  const objectives: Objective[] = [];
  const leftOut: LeftOut[] = [];
  checkName(document.tree, ['service'], report);
  const { service } = document.value;
  for (const slo of items(part(document, 'slos'))) {
    const { name, description } = slo.value;
    checkName(slo.tree, ['name'], report);
    const target = checkPercent(slo.value.objective, slo.tree, 'objective', report);
    const reading = readSli(slo, report);
    const id = `${service}-${name}`;
    if (reading.kind === 'unjudged') leftOut.push({ ...place(reading.tree), id, because: reading.because });
    if (reading.kind !== 'read' || target === undefined) continue;
    objectives.push({
      id,
      service,
      name,
      displayName: name,
      description: description ?? '',
      ...target,
      window: { kind: 'rolling', period: days(SLOTH_DAYS) },
      method: { kind: 'occurrences' },
      indicator: reading.value,
      labels: labelsOf(document, slo),
      annotations: textsAt(slo.tree, ['alerting', 'annotations']),
      alerting: alertingOf(slo, report),
      source: place(slo.tree),
    });
  }
  return { objectives, leftOut };
}

const labelsOf = (document: SlothDocument, slo: Located<SlothSlo>): Record<string, string> => ({
  ...textsAt(document.tree, ['labels']),
  ...textsAt(slo.tree, ['labels']),
});

function readSli(slo: Located<SlothSlo>, report: Report): Reading<Indicator> {
  const { events, raw, plugin } = slo.value.sli;
  const at = (...path: string[]) => find(slo.tree, ['sli', ...path]) ?? slo.tree;
  const kinds = [events, raw, plugin].filter((one) => one !== undefined).length;
  if (kinds !== 1) {
    report.fault(place(slo.tree, ['sli']), `sli has ${kinds} of events, raw and plugin: expected one of them`);
    return { kind: 'wrong' };
  }
  if (events) return readEvents(at('events', 'error_query'), at('events', 'total_query'), report);
  if (raw) return readErrorRatio(at('raw', 'error_ratio_query'), report);
  return {
    kind: 'unjudged',
    tree: at('plugin'),
    because: 'is a plugin of Sloth, which only Sloth can run: write out its queries',
  };
}

function alertingOf({ tree, value }: Located<SlothSlo>, report: Report): Alerting {
  const shared = textsAt(tree, ['alerting', 'labels']);
  for (const alert of ['page_alert', 'ticket_alert'] as const) {
    const path = ['alerting', alert, 'annotations'];
    if (find(tree, path))
      report.warn(keyPlace(tree, path), `${alert}.annotations are not read: alerting.annotations are`);
  }
  return {
    ...DEFAULT_ALERTING,
    runbookUrl: runbookOf(textsAt(tree, ['alerting', 'annotations'])),
    page: value.alerting?.page_alert?.disable !== true,
    ticket: value.alerting?.ticket_alert?.disable !== true,
    named: {
      name: value.alerting?.name,
      pageLabels: { ...shared, ...textsAt(tree, ['alerting', 'page_alert', 'labels']) },
      ticketLabels: { ...shared, ...textsAt(tree, ['alerting', 'ticket_alert', 'labels']) },
    },
  };
}

/** The same in OpenSLO's words, for who moves over. */
export function slothAsOpenSlo(document: SlothDocument): object[] {
  const silent = { fault: () => undefined, strictly: () => undefined, warn: () => undefined, queries: { broken: 0 } };
  const whole = items(part(document, 'slos')).filter(({ value }) => value.sli.events || value.sli.raw);
  return whole.map((slo) => {
    const { name, description, objective, sli } = slo.value;
    const metric = (query: string | undefined) => ({ metricSource: { type: 'Prometheus', spec: { query } } });
    const ratioMetric = sli.events
      ? { counter: true, bad: metric(sli.events.error_query), total: metric(sli.events.total_query) }
      : { rawType: 'failure', raw: metric(sli.raw?.error_ratio_query) };
    const annotations = {
      ...textsAt(slo.tree, ['alerting', 'annotations']),
      ...alertingAnnotations(alertingOf(slo, silent)),
    };
    return {
      apiVersion: 'openslo/v1',
      kind: 'SLO',
      metadata: { name, labels: labelsOf(document, slo), annotations },
      spec: {
        ...(description === undefined ? {} : { description }),
        service: document.value.service,
        indicator: { metadata: { name }, spec: { ratioMetric } },
        timeWindow: [{ duration: `${SLOTH_DAYS}d`, isRolling: true }],
        budgetingMethod: 'Occurrences',
        objectives: [{ targetPercent: objective }],
      },
    };
  });
}
