/**
 * `npm run bench:page [-- --breaches 20 --warm 60]`: how long from the first request that LlamaParse fails until the page
 * is in PagerDuty, Slack and the mailbox. The whole embedded stack as `npm start` has it, one document a second; each
 * breach on a stack of its own, so that none profits from the one before. Prints a Markdown table for docs/benchmarks.md.
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { getJson, inbox, until } from '#test/kit/alertmanager.ts';
import { startRole, temporaryFolder } from '#test/kit/stack.ts';
import { quantile } from './pipeline.ts';

const { values } = parseArgs({
  options: { breaches: { type: 'string', default: '20' }, warm: { type: 'string', default: '60' } },
});
const BREACHES = Number(values.breaches);
const CHANNELS = ['pagerduty', 'slack', 'email'] as const;
type Times = Record<(typeof CHANNELS)[number], number> & { readonly rule: string };

function steadyDocuments(api: string): () => void {
  let sent = 0;
  const timer = setInterval(() => {
    const form = new FormData();
    form.set('file', new Blob([`document ${sent++} of a steady stream`], { type: 'text/plain' }), 'a.txt');
    void fetch(`${api}/v1/documents`, { method: 'POST', body: form, headers: { 'cache-control': 'no-cache' } }).catch(
      () => {},
    );
  }, 1_000);
  return () => clearInterval(timer);
}

/** A warning may come before it, as a ticket; whoever is woken is woken by this. */
const isCritical = (body: Record<string, unknown>): boolean => /CRITICAL/.test(JSON.stringify(body));

/** Scrapes come every five seconds: the fault begins evenly anywhere between two of them. */
const SCRAPE_MS = 5_000;

async function breach(phase: number): Promise<Times> {
  const folder = temporaryFolder();
  const stack = await startRole('start', { BURNLINE_STATE: folder });
  const { api = '', simulators = '', router = '' } = stack.urls;
  const stop = steadyDocuments(api);
  try {
    await sleep(Number(values.warm) * 1_000 + phase * SCRAPE_MS);
    const early = await inbox(simulators, 'pagerduty');
    if (early.length > 0) throw new Error(`a page before the breach: ${JSON.stringify(early[0]?.body)}`);
    await fetch(`${simulators}/faults/llamaparse`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ errorRate: 1, status: 500 }),
    });
    const began = Date.now();
    const arrival = async (channel: string) => {
      const critical = async () => (await inbox(simulators, channel)).find(({ body }) => isCritical(body));
      const mail = await until(`a page by ${channel}`, critical, 600_000);
      return (new Date(mail.at).getTime() - began) / 1_000;
    };
    const [pagerduty, slack, email] = await Promise.all(CHANNELS.map(arrival));
    const alerts = await getJson<{ labels: Record<string, string> }[]>(
      `${router}/api/v2/alerts?filter=severity%3Dcritical`,
    );
    const rule = alerts
      .map(({ labels }) => `${labels['sloth_slo'] ?? labels['alertname']} ${labels['tier'] ?? ''}`)
      .join(', ');
    return { pagerduty: pagerduty ?? 0, slack: slack ?? 0, email: email ?? 0, rule };
  } finally {
    stop();
    await stack.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const all: Times[] = [];
for (let i = 0; i < BREACHES; i++) {
  const times = await breach(i / BREACHES);
  all.push(times);
  process.stderr.write(
    `${i + 1}: ${CHANNELS.map((one) => `${one} ${times[one].toFixed(1)} s`).join(', ')} by ${times.rule}\n`,
  );
}
process.stdout.write(
  `\n| seconds from the fault to the message, ${BREACHES} breaches | median | p95 | most |\n| --- | ---: | ---: | ---: |\n`,
);
for (const channel of CHANNELS) {
  const found = all.map((one) => one[channel]);
  const cells = [0.5, 0.95, 1].map((q) => quantile(found, q).toFixed(1));
  process.stdout.write(`| ${channel} | ${cells.join(' | ')} |\n`);
}
