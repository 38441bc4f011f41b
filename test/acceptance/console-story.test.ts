/** A bad minute by clicks alone, on a phone: LlamaParse breaks, a page comes, its link is followed, and it is over again. */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { assertFits, NO_BROWSER, openBrowser, openPage, PHONE, WIDE } from '#test/kit/browser.ts';
import { upload } from '#test/kit/client.ts';
import { childrenOf, FREE_PORTS, type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';

/** Seconds count here: detection takes some twenty of them, and the end of the outage as many. */
const LONG = 120_000;

describe('a bad minute, on a phone', { skip: NO_BROWSER, timeout: 400_000 }, () => {
  const state = temporaryFolder();
  let stack: Running;
  let browser: Browser;
  const router = () => stack.urls['router'] ?? '';
  const traffic = new AbortController();
  before(async () => {
    // One that is started again must be where it was: not any free port.
    const listen = `127.0.0.1:${await freePort()}`;
    const args = (FREE_PORTS['start'] ?? []).map((one, i, all) =>
      all[i - 1] === '--web.listen-address' ? listen : one,
    );
    const env = { BURNLINE_STATE: state, SIMULATORS_LATENCY: 'zero', CANARY_EVERY_SECONDS: '0' };
    stack = await startRole('start', env, args);
    browser = await openBrowser();
    void keepUploading(stack.urls['api'] ?? '', traffic.signal);
  });
  after(async () => {
    traffic.abort();
    await browser?.close();
    await stack?.stop();
    removeFolder(state);
  });

  test('breaks, pages, is acknowledged where two see it, is mended, resolved and reported', async () => {
    const { page, faults } = await openPage(browser, router(), PHONE);
    await page.getByText('Nothing is open.').waitFor();
    await name(page, 'ada');
    await toSimulators(page);
    await page.getByRole('button', { name: 'LlamaParse: Answers 500' }).click();
    await page.getByText('Broken').first().waitFor();
    const link = page.getByRole('link', { name: 'Incident', exact: true });
    await link.first().waitFor({ timeout: LONG });

    const other = await openPage(browser, router(), WIDE);
    await name(other.page, 'grace');
    const theirs = other.page.getByRole('button', { name: /^Acknowledge incident/ });
    await theirs.first().waitFor();

    await link.first().click();
    await page.getByRole('heading', { level: 1, name: /^#1 / }).waitFor();
    await page.getByText('Nobody has acknowledged').waitFor();
    await assertFits(page, 'the incident');
    await page.getByRole('button', { name: 'Acknowledge incident 1' }).click();
    await page.getByText(/#1 is acknowledged by ada/).waitFor();
    // No clock here: the benchmark measures it. That it comes without anybody's doing is what is tested.
    await other.page.getByText(/ada.*is on it/).waitFor();
    await theirs.waitFor({ state: 'detached' });

    await toSimulators(page);
    await page.getByRole('button', { name: 'LlamaParse: mend' }).click();
    await other.page.getByText('Nothing is open.').waitFor({ timeout: LONG });
    await page.goBack();
    await page.getByText('Resolved', { exact: true }).first().waitFor();
    await reports(page);
    assert.deepEqual([faults, other.faults], [[], []]);
  });

  test('an answer that comes too late says what had happened', async () => {
    const { page } = await openPage(browser, `${router()}/incidents/1`, PHONE);
    await page.getByText('Resolved', { exact: true }).first().waitFor();
    assert.equal(await page.getByRole('button', { name: 'Resolve', exact: true }).count(), 0);
    await page.getByLabel('Note for the timeline').fill('the vendor had a bad night');
    await page.getByRole('button', { name: 'Add the note' }).click();
    await page.getByText('the vendor had a bad night').first().waitFor();
  });

  test('when the router is gone the page says so and keeps what it had; when it is back, it goes on', async () => {
    const refused = /Failed to load resource|ERR_/;
    const { page, faults } = await openPage(browser, router(), PHONE, refused);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText('Nothing is open.').waitFor();
    const pid = routerPid(stack);
    process.kill(pid, 'SIGSTOP');
    await page.getByText(/has not been heard for/).waitFor();
    await page.getByText('Nothing is open.').waitFor();
    process.kill(pid, 'SIGCONT');
    await page.getByText('Live', { exact: true }).waitFor();
    process.kill(pid, 'SIGKILL');
    await page.getByText(/has not been heard for/).waitFor();
    await page.getByText('Live', { exact: true }).waitFor({ timeout: LONG });
    assert.deepEqual(faults, []);
  });
});

/** What the SLO is made of, while the story goes on. */
async function keepUploading(api: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    await upload(api, `# Document ${i}\n\nThe pump of line ${i} is in order.`, `document-${i}.md`, {
      headers: { 'cache-control': 'no-cache' },
    }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}

/** Nobody is known by a key on this machine: a person says who they are. */
async function name(page: Page, who: string): Promise<void> {
  await page.getByRole('button', { name: /account and appearance/ }).click();
  await page.getByLabel('Your name').fill(who);
  await page.keyboard.press('Escape');
}

async function toSimulators(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('link', { name: 'Simulators' }).last().click();
  await page.getByRole('heading', { name: 'Break a vendor' }).waitFor();
}

async function reports(page: Page): Promise<void> {
  const report = page.getByRole('region', { name: 'Report' });
  const read = report.getByRole('button', { name: 'Read' });
  if (await read.isVisible()) await read.click();
  await report.getByText('Root cause').waitFor();
  await report.getByRole('button', { name: 'Edit' }).click();
  const text = report.getByLabel('Report, in Markdown');
  const before = await text.inputValue();
  assert.match(before, /^# Incident #1: /);
  await text.fill(before.replace('_To be filled in._', 'Whoever sent documents waited.'));
  await report.getByRole('button', { name: 'Keep it' }).click();
  await report.getByText('Whoever sent documents waited.').waitFor();
}

function routerPid({ process: { pid = 0 } }: Running): number {
  const router = childrenOf(pid).find(({ role }) => role === 'router');
  assert(router, 'there is no router');
  return router.pid;
}
