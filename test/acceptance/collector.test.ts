/** The real Collector, built from our manifest, with our file: what it hides, what it keeps, what it never loses. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#test/kit/alertmanager.ts';
import { untilFinished, upload } from '#test/kit/client.ts';
import { type Collector, OTELCOL, type Span, sendLogs, sendSpans, startCollector } from '#test/kit/collector.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

const NAME = 'Zebediah Quux';
const EMAIL = 'zebediah@quux.example';
const SECRET = `llx-${'s3cret'.repeat(5)}`;
const BEARER = 'Bearer abcdefghijklmnopqrstuvwxyz';
/** In a test nobody waits a minute for a decision. */
const QUICK = { SAMPLING_WAIT: '1s', METRICS_EVERY: '1s' };
const trace = (): string => randomBytes(16).toString('hex');
const everything = ({ traces, logs, points }: Collector): string =>
  [traces, logs, points].map((receiver) => receiver.everything().toString('latin1')).join('\n');
const kept = ({ traces }: Collector): Set<string> => new Set(traces.spans().map(({ traceId }) => traceId));

describe('the Collector', { skip: OTELCOL === undefined && 'otelcol is not here', timeout: 240_000 }, () => {
  test('lets a worker’s run through, and nothing of the document or of a credential with it', async () => {
    await using collector = await startCollector({ ...QUICK, SAMPLING_PERCENT: '100' });
    const state = temporaryFolder();
    const env = {
      BURNLINE_STATE: state,
      SIMULATORS_LATENCY: 'zero',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      CANARY_EVERY_SECONDS: '0',
    };
    await using stack = await startRole('start', env);
    const { api = '' } = stack.urls;
    const text = `# ${NAME}\n\nThe xylophone diagnosis is confidential. Write to ${EMAIL}.`;
    const { body } = await upload(api, text, 'zebediah-quux.md');
    const document = await untilFinished(api, body.id);
    assert.equal(document.status, 'completed');
    await until('its trace is kept', async () => kept(collector).has(document.traceId) || undefined, 30_000);
    await until(
      'its spans are counted',
      async () => {
        const points = collector.points.everything().toString('latin1');
        return (/traces\.span\.metrics\.calls/.test(points) && /system\.cpu\.time/.test(points)) || undefined;
      },
      60_000,
    );
    await until('its lines are there', async () => collector.logs.everything().includes(body.id) || undefined);
    const all = everything(collector);
    for (const planted of ['Zebediah', 'zebediah', 'xylophone', EMAIL]) assert(!all.includes(planted), planted);
    await stack.stop();
    removeFolder(state);
  });

  test('hides what anybody else sends: keys that are not listed, secrets under those that are, messages', async () => {
    await using collector = await startCollector(QUICK);
    const spans: Span[] = [
      {
        trace: trace(),
        name: `GET /search?q=${NAME}`,
        isError: true,
        message: `cannot read ${NAME}.pdf`,
        attributes: {
          'document.text': NAME,
          'file.name': `${NAME}.pdf`,
          'http.request.header.authorization': BEARER,
          'enduser.email': EMAIL,
          'url.full': `http://127.0.0.1/search?q=${encodeURIComponent(NAME)}`,
          'burnline.because': `refused: ${SECRET} ${BEARER} ${EMAIL}`,
          'burnline.document.id': 'a-document',
        },
        event: {
          'exception.message': NAME,
          'exception.stacktrace': `Error: ${NAME}\n    at read`,
          'exception.type': 'E',
        },
      },
    ];
    await sendSpans(collector.url, spans, { 'host.id': NAME, 'service.name': 'somebody' });
    const lines = [
      `it failed\n${NAME}`,
      `asked http://127.0.0.1/a?name=${NAME.split(' ')[0]}`,
      `key ${SECRET}`,
      `to ${EMAIL}`,
    ];
    await sendLogs(collector.url, lines, { documentId: 'a-document', patient: NAME });
    await until('the trace is kept', async () => kept(collector).has(spans[0]?.trace ?? '') || undefined);
    await until('the lines are there', async () => collector.logs.everything().includes('it failed') || undefined);
    const flushed = async () => /traces\.span\.metrics/.test(collector.points.everything().toString()) || undefined;
    await until('the span is counted', flushed, 60_000);
    const all = everything(collector);
    assert(all.includes('a-document') && all.includes('http://127.0.0.1/search'));
    const planted = ['Zebediah', 'Quux', EMAIL, SECRET, BEARER.slice(7)];
    for (const one of planted) assert(!all.includes(one), one);
  });

  test('keeps each trace with an error, however late it comes, each slow one, and some of the rest', async () => {
    await using collector = await startCollector(QUICK);
    const errors = Array.from({ length: 20 }, trace);
    const slow = Array.from({ length: 20 }, trace);
    const rest = Array.from({ length: 400 }, trace);
    await sendSpans(collector.url, [
      ...rest.map((one) => ({ trace: one })),
      ...errors.flatMap((one) => [{ trace: one }, { trace: one, isError: true }]),
      ...slow.map((one) => ({ trace: one, seconds: 31 })),
    ]);
    await until('what must be kept is kept', async () => {
      const seen = kept(collector);
      return [...errors, ...slow].every((one) => seen.has(one)) || undefined;
    });
    // 5 % of 400; that chance keeps 60 or more is less likely than one in a billion.
    const others = () => rest.filter((one) => kept(collector).has(one));
    assert(others().length < 60, `${others().length} of ${rest.length} others`);
    const dropped = rest.find((one) => !kept(collector).has(one)) ?? '';
    await sendSpans(collector.url, [{ trace: dropped, isError: true }]);
    await until('a late error is kept', async () => kept(collector).has(dropped) || undefined);
  });

  test('loses nothing while a backend is away for 30 s, nor by a kill -9 in that time', async () => {
    await using collector = await startCollector(QUICK);
    const receivers = [collector.traces, collector.logs];
    for (const receiver of receivers) receiver.setAway(true);
    const began = performance.now();
    const sent: { traces: string[]; lines: string[] } = { traces: [], lines: [] };
    for (let i = 0; i < 50; i++) {
      const one = trace();
      await sendSpans(collector.url, [{ trace: one, isError: true }]);
      await sendLogs(collector.url, [`line ${i} of the outage`]);
      sent.traces.push(one);
      sent.lines.push(`line ${i} of the outage`);
    }
    // What was decided waits on the disk: a trace once its second is over.
    await sleep(4_000);
    await collector.crash();
    await collector.restart();
    await sleep(Math.max(0, 30_000 - (performance.now() - began)));
    for (const receiver of receivers) receiver.setAway(false);
    await until(
      'every trace is there',
      async () => sent.traces.every((one) => kept(collector).has(one)) || undefined,
      40_000,
    );
    const lines = () => collector.logs.everything().toString();
    await until(
      'every line is there',
      async () => sent.lines.every((one) => lines().includes(one)) || undefined,
      40_000,
    );
    assert.match(await (await fetch(collector.metrics)).text(), /otelcol_exporter_queue_capacity/);
  });
});
