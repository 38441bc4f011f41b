/**
 * `npm run screenshots`: the pictures of the console in docs/pictures, of a bad minute that really happens: documents go
 * through, LlamaParse breaks, the page comes, somebody is on it.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '#test/kit/alertmanager.ts';
import { openBrowser, openPage, PHONE } from '#test/kit/browser.ts';
import { call, upload } from '#test/kit/client.ts';
import { FREE_PORTS, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { findChromium } from '#test/tools/chromium.ts';

const PICTURES = 'docs/pictures';
const WIDE = { viewport: { width: 1200, height: 760 }, colorScheme: 'light' } as const;

const found = findChromium();
if (found.kind === 'missing') throw new Error(found.why);
process.env['TEST_TOOL_CHROMIUM'] ??= found.where;

const state = temporaryFolder();
const oncall = join(state, 'oncall.yaml');
copyFileSync('test/kit/oncall-pictures.yaml', oncall);
const env = { BURNLINE_STATE: state, CANARY_EVERY_SECONDS: '0' };
const stack = await startRole('start', env, [...(FREE_PORTS['start'] ?? []), `--oncall.file=${oncall}`]);
const browser = await openBrowser();
const { api = '', router = '', simulators = '' } = stack.urls;
const send = async (count: number) => {
  const headers = { 'cache-control': 'no-cache' };
  for (let i = 0; i < count; i++)
    await upload(api, `# Report ${i}\n\nPump ${i} is in order.`, `report-${i}.md`, { headers });
};
const picture = async (name: string, path: string, mark: RegExp, screen: typeof WIDE | typeof PHONE) => {
  const { page, context } = await openPage(browser, `${router}/${path}`, screen);
  await page.getByText(mark).first().waitFor();
  // Charts are drawn, and what moves has come to rest.
  await page.waitForTimeout(2_500);
  writeFileSync(join(PICTURES, `${name}.png`), await page.screenshot());
  await context.close();
};
try {
  await send(30);
  await until('documents are through', async () => (await call(`${api}/v1/pulse`)).status === 200 || undefined);
  await picture('console-simulators', 'simulators', /Break a vendor/, WIDE);
  await call(`${simulators}/faults/llamaparse`, { method: 'PUT', body: JSON.stringify({ errorRate: 1, status: 500 }) });
  await send(12);
  await until(
    'the page',
    async () => ((await call(`${router}/api/v1/incidents/1`)).status === 200 ? true : undefined),
    90_000,
  );
  await picture('console-overview', '', /#1 /, WIDE);
  await picture('console-phone', 'incidents/1', /Nobody has acknowledged/, PHONE);
  await picture('console-objective', 'objectives/burnline-documents-step-attempts', /Why it is judged so/, WIDE);
  await picture('console-oncall', 'oncall', /All shifts in words/, WIDE);
} finally {
  await browser.close();
  await stack.stop();
  removeFolder(state);
}
