/** Telemetry that keeps nothing and sends nothing, for tests of other things. Spans run their work; ids are zeros. */
import type { Traceparent } from './context.ts';
import type { Telemetry } from './telemetry.ts';

const NOWHERE = '00-00000000000000000000000000000000-0000000000000000-00' as Traceparent;

export const silentTelemetry: Telemetry = {
  role: 'service',
  count: () => {},
  record: () => {},
  set: () => {},
  observe: () => () => {},
  exposition: async () => '',
  inSpan: (_name, _options, work) =>
    work({ traceId: NOWHERE.slice(3, 35), traceparent: NOWHERE, set: () => {}, event: () => {}, fail: () => {} }),
  pastSpan: () => {},
  currentTraceparent: () => undefined,
  withCorrelation: (_correlationId, work) => work(),
  bridgeLog: (log) => log,
  stop: async () => {},
};
