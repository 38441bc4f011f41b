/**
 * `npm run bench:console`: how long the overview takes until something is painted, and until its objectives are there, in a
 * new browser with nothing in its cache, beside an empty router in the same run; and how long an acknowledgement takes to
 * be seen in another browser. Prints JSON.
 */
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { postAlerts } from '#test/kit/alertmanager.ts';
import { openBrowser, openPage, WIDE } from '#test/kit/browser.ts';
import { startMany } from '#test/kit/many.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import { findChromium } from '#test/tools/chromium.ts';

const { values } = parseArgs({
  options: {
    objectives: { type: 'string', default: '1000' },
    alerts: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '10' },
  },
});
const rounds = Number(values.rounds);

const found = findChromium();
if (found.kind === 'missing') throw new Error(found.why);
process.env['TEST_TOOL_CHROMIUM'] ??= found.where;

type Loaded = { readonly paintMs: number; readonly listMs: number };

/** Milliseconds since the navigation began, by the browser's own clock. */
async function load(browser: Browser, url: string): Promise<Loaded> {
  const { page, context } = await openPage(browser, url, WIDE);
  // Its rows are drawn once they come into sight.
  await page.locator('#objectives-title').waitFor();
  const listMs = await page.evaluate<number>('performance.now()');
  const paintMs = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
  await context.close();
  return { paintMs, listMs };
}

/** From the press in one browser until the other one shows it. */
async function acknowledged(one: Page, other: Page, url: string, i: number): Promise<number> {
  await postAlerts(url, [{ labels: { alertname: `Bench${i}`, service: `bench-${i}`, severity: 'critical' } }]);
  const row = (page: Page) => page.locator('.incident-card', { hasText: `bench-${i}` });
  const press = row(one).getByRole('button');
  await Promise.all([press.waitFor(), row(other).getByRole('button').waitFor()]);
  const begun = performance.now();
  await press.click();
  await row(other).getByRole('button').waitFor({ state: 'detached' });
  return performance.now() - begun;
}

const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);
function spread(numbers: readonly number[]) {
  const all = sorted(numbers);
  return { median: Math.round(all[Math.floor(all.length / 2)] ?? 0), most: Math.round(all.at(-1) ?? 0) };
}

const folders = [temporaryFolder(), temporaryFolder()] as const;
const browser = await openBrowser();
const many = await startMany(folders[0], Number(values.objectives), Number(values.alerts));
const few = await startMany(folders[1], 1, 0);
try {
  const [manyUrl, fewUrl] = [many.urls['router'] ?? '', few.urls['router'] ?? ''];
  const loads: { readonly many: Loaded; readonly few: Loaded }[] = [];
  for (let i = 0; i < rounds; i++) loads.push({ many: await load(browser, manyUrl), few: await load(browser, fewUrl) });
  const [one, other] = [await openPage(browser, fewUrl), await openPage(browser, fewUrl)];
  const seen: number[] = [];
  for (let i = 0; i < rounds; i++) seen.push(await acknowledged(one.page, other.page, fewUrl, i));
  const pick = (which: 'many' | 'few', what: keyof Loaded) => spread(loads.map((round) => round[which][what]));
  const report = {
    objectives: Number(values.objectives),
    alerts: Number(values.alerts),
    rounds,
    firstPaintMs: { many: pick('many', 'paintMs'), few: pick('few', 'paintMs') },
    objectivesShownMs: { many: pick('many', 'listMs'), few: pick('few', 'listMs') },
    acknowledgementSeenMs: spread(seen),
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} finally {
  await browser.close();
  await Promise.all([many.stop(), few.stop()]);
  for (const folder of folders) removeFolder(folder);
}
