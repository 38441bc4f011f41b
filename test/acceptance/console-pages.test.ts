/** Every page of the console with real data: on a phone and on a wide screen, by keyboard, with hostile words in it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import type { Browser } from 'playwright-core';
import { getJson, postAlerts, until } from '#test/kit/alertmanager.ts';
import { assertFits, NO_BROWSER, openBrowser, openPage, PHONE, seriousFaults, WIDE } from '#test/kit/browser.ts';
import { call, untilFinished, upload } from '#test/kit/client.ts';
import { FREE_PORTS, type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

const ONCALL = `
people:
- {name: ada, display_name: Ada, contacts: [{email_config: {to: ada@example.org}}]}
- {name: bob, display_name: Bob, contacts: [{email_config: {to: bob@example.org}}]}
schedules:
- name: primary
  time_zone: America/New_York
  layers:
  - {name: days, people: [ada, bob], rotation: {every: 1, unit: day}, start: 2026-01-05T09:00}
- name: office
  time_zone: Europe/Berlin
  layers:
  - {name: hours, people: [bob], rotation: {every: 1, unit: week}, start: 2026-01-05T09:00, restrictions: [{weekdays: ['monday'], from: '09:00', to: '10:00'}]}
policies:
- name: oncall
  steps:
  - targets: [{receiver: oncall}, {schedule: primary}]
  - {delay: 30m, targets: [{person: bob}]}
`;

/** A script, a long word (8 KiB is the most that a label may have, 64 an annotation), and letters that turn the line around. */
const HOSTILE = `<script>window.hacked=1</script><img src=x onerror="window.hacked=2">\u202Edlrow ${'x'.repeat(8_000)}`;

describe('the pages of the console', { skip: NO_BROWSER, timeout: 300_000 }, () => {
  const state = temporaryFolder();
  let stack: Running;
  let browser: Browser;
  const router = () => stack.urls['router'] ?? '';
  let document = '';
  before(async () => {
    const oncall = join(state, 'oncall.yaml');
    writeFileSync(oncall, ONCALL);
    const env = { BURNLINE_STATE: state, SIMULATORS_LATENCY: 'zero', CANARY_EVERY_SECONDS: '0' };
    stack = await startRole('start', env, [...(FREE_PORTS['start'] ?? []), `--oncall.file=${oncall}`]);
    browser = await openBrowser();
    const { body } = await upload(stack.urls['api'] ?? '', '# One\n\nThe pump is in order.', 'one.md');
    document = (await untilFinished(stack.urls['api'] ?? '', body.id)).id;
    const labels = { alertname: 'PumpStands', severity: 'critical', sloth_service: 'pumps', note: HOSTILE };
    const posted = await postAlerts(router(), [
      { labels, annotations: { description: HOSTILE + HOSTILE, runbook_url: 'javascript:window.hacked=3' } },
    ]);
    assert.equal(posted.status, 200, await posted.text());
    await until('the incident', async () => (await incidents()).items[0]);
  });
  after(async () => {
    await browser?.close();
    await stack?.stop();
    removeFolder(state);
  });
  const incidents = async () => await getJson<{ items: { id: string }[] }>(`${router()}/api/v1/incidents`);

  /** Each with what stands on it once its data is there. */
  const pages = (): readonly (readonly [path: string, mark: RegExp])[] => [
    ['', /Documents processed/],
    ['incidents', /#1 /],
    ['incidents/1', /PumpStands/],
    ['objectives/burnline-documents-documents-processed', /Why it is judged so/],
    ['documents', /one\.md/],
    [`documents/${document}`, /completed/],
    ['alerts', /PumpStands/],
    ['silences', /Nothing is silenced/],
    ['silences?new=', /New silence/],
    ['oncall', /All shifts in words/],
    ['notifications', /delivered/],
    ['simulators', /Break a vendor/],
    ['audit', /Audit trail/],
  ];

  for (const [name, screen] of [['phone', PHONE] as const, ['wide screen', WIDE] as const]) {
    test(`are whole and fit a ${name}, and axe finds no serious fault`, async () => {
      const { page, faults, context } = await openPage(browser, router(), screen);
      for (const [path, mark] of pages()) {
        await page.goto(`${router()}/${path}`);
        await page.getByText(mark).first().waitFor({ state: 'attached' });
        await page.getByText('Live', { exact: true }).waitFor();
        await assertFits(page, `/${path}`);
        assert.deepEqual(await seriousFaults(page), [], `/${path}`);
        assert.equal(await page.evaluate('window.hacked'), undefined, `/${path} let a label act`);
      }
      assert.deepEqual(faults, []);
      await context.close();
    });
  }

  test('fit a 4K screen, say whole moments on hover, and hold still for whom that is wished', async () => {
    const screen = { viewport: { width: 3_840, height: 2_160 }, reducedMotion: 'reduce' } as const;
    const { page, context, faults } = await openPage(browser, `${router()}/incidents/1`, screen);
    const since = page.locator('time[title*="Europe/Berlin"]').first();
    assert.match((await since.getAttribute('title')) ?? '', /\(Europe\/Berlin\)\n\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    await assertFits(page, 'an incident in 4K');
    const moving = await page.evaluate<string>(
      "(() => { const bone = document.createElement('div'); bone.className = 'bones'; document.body.append(bone); const name = getComputedStyle(bone).animationName; bone.remove(); return name; })()",
    );
    assert.equal(moving, 'none');
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('an incident says who is next and when; its report is copied, saved and printed', async () => {
    const { page, context, faults } = await openPage(browser, `${router()}/incidents/1`);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    assert.match((await page.getByRole('timer').first().textContent()) ?? '', /^\d+:\d\d$/);
    await page.getByText(/until Bob is told/).waitFor();
    const report = page.getByRole('region', { name: 'Report' });
    await report.getByRole('button', { name: 'Read' }).click();
    await report.getByRole('button', { name: 'Copy as Markdown' }).click();
    await page.getByText('The report is copied, as Markdown.').waitFor();
    assert.match(await page.evaluate<string>('navigator.clipboard.readText()'), /^# Incident #1: /);
    const saved = page.waitForEvent('download');
    await report.getByRole('button', { name: 'Save' }).click();
    assert.equal((await saved).suggestedFilename(), 'incident-1.md');
    await page.emulateMedia({ media: 'print' });
    await report.getByText('Root cause').waitFor();
    assert.equal(await page.getByRole('navigation').first().isVisible(), false);
    assert.equal(await page.getByRole('button', { name: 'Acknowledge incident 1' }).isVisible(), false);
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('a report that is being written is there again after a link, a reload and back, until it is thrown away', async () => {
    const { page, context, faults } = await openPage(browser, `${router()}/incidents/1`);
    const report = page.getByRole('region', { name: 'Report' });
    const text = report.getByLabel('Report, in Markdown');
    await report.getByRole('button', { name: 'Read' }).click();
    await report.getByRole('button', { name: 'Edit' }).click();
    await text.fill('The pump was off.');
    await page.getByRole('link', { name: 'Burnline' }).click();
    await page.getByRole('heading', { name: 'On call now' }).waitFor();
    await page.goBack();
    await text.waitFor();
    assert.equal(await text.inputValue(), 'The pump was off.');
    await page.reload();
    await text.waitFor();
    assert.equal(await text.inputValue(), 'The pump was off.');
    await report.getByRole('button', { name: 'Throw the changes away' }).click();
    await report.getByText('Root cause').waitFor();
    await page.reload();
    await report.getByRole('button', { name: 'Read' }).click();
    await report.getByRole('button', { name: 'Edit' }).click();
    assert.match(await text.inputValue(), /^# Incident #1: /);
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('an objective shows what ate its budget, with releases marked', async () => {
    const body = JSON.stringify({ summary: 'release 7 of the pumps', at: new Date().toISOString() });
    const headers = { 'content-type': 'application/json' };
    assert.equal((await call(`${router()}/api/v1/changes`, { method: 'POST', headers, body })).status, 200);
    const url = `${router()}/objectives/burnline-documents-documents-processed`;
    const { page, context, faults } = await openPage(browser, url);
    await page.getByRole('img', { name: /^Error budget of .*release 7 of the pumps at/ }).waitFor();
    await page.getByRole('img', { name: /^Burn rates of .*1h: now .*release 7 of the pumps at/ }).waitFor();
    for (const chart of await page.locator('.chart').all()) await chart.locator('canvas').waitFor();
    await page.getByRole('row', { name: /page-fast.*13\.4 ×/ }).waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('a document is found by its id and by its correlation ID, and one that failed is tried again', async () => {
    const { api = '', simulators = '' } = stack.urls;
    const refused = { method: 'PUT', body: JSON.stringify({ errorRate: 1, status: 400 }) };
    await call(`${simulators}/faults/llamaparse`, refused);
    const { body } = await upload(api, '# Two\n\nThe pump leaks.', 'two.md', {
      headers: { 'x-correlation-id': 'case-of-the-pump', 'cache-control': 'no-cache' },
    });
    assert.equal((await untilFinished(api, body.id)).status, 'failed');
    await call(`${simulators}/faults/llamaparse`, { method: 'DELETE' });
    const { page, context, faults } = await openPage(browser, `${router()}/documents`);
    const find = async (text: string) => {
      await page.getByLabel('Id or correlation ID').fill(text);
      await page.getByRole('button', { name: 'Find', exact: true }).click();
    };
    await page.getByRole('link', { name: 'one.md' }).waitFor();
    await find('case-of-the-pump');
    await page.getByRole('link', { name: 'one.md' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'two.md' }).waitFor();
    await find(body.id);
    await page.getByRole('heading', { name: 'two.md' }).waitFor();
    await page.getByText('HTTP 400').first().waitFor();
    await page.getByRole('button', { name: 'Try it again' }).click();
    await page.getByText('completed', { exact: true }).first().waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('can be walked, and an incident be acknowledged, by keyboard alone', async () => {
    const { page, context } = await openPage(browser, router());
    await page.getByRole('button', { name: 'Acknowledge incident 1' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'To the content');
    const button = async () => (await focused(page)) === 'Acknowledge';
    for (let i = 0; i < 60 && !(await button()); i++) await page.keyboard.press('Tab');
    assert(await button(), 'the button is never reached');
    await page.keyboard.press('Enter');
    await page.getByText(/is on it/).waitFor();
    await page.goto(`${router()}/silences`);
    await page.getByText('Nothing is silenced').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
    assert.equal(page.url(), `${router()}/silences`);
    await context.close();
  });

  test('a silence is made from an alert, shows what it would mute, and its faults beside their fields', async () => {
    const { page, context, faults } = await openPage(browser, `${router()}/alerts`, PHONE);
    const row = page.locator('.alert-row', { hasText: 'PumpStands' });
    await row.getByRole('link', { name: 'Silence', exact: true }).click();
    await page.getByText(/It would mute/).waitFor();
    await page.getByText('1 critical').waitFor();
    await page.getByRole('button', { name: 'Silence it' }).click();
    await page.getByText('Say why, for whoever wonders').waitFor();
    assert.equal(await page.getByLabel('Why').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Why').fill('the pump is being mended');
    await page.getByRole('button', { name: 'Silence it' }).click();
    await page.getByText('In force', { exact: true }).waitFor();
    await page.getByText('the pump is being mended').waitFor();
    await page.getByRole('button', { name: 'End it now' }).click();
    await page.getByRole('button', { name: 'End it', exact: true }).click();
    await page.getByText('Nothing is silenced').waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('an override is dragged, is in force, and is taken back', async () => {
    const { page, context, faults } = await openPage(browser, `${router()}/oncall`);
    const lane = page.locator('.lane.draggable').first();
    const box = await lane.boundingBox();
    assert(box);
    await page.mouse.move(box.x + box.width * 0.3, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 10, { steps: 5 });
    await page.mouse.up();
    await page.getByLabel('Who').selectOption('bob');
    await page.getByRole('button', { name: 'Put on call' }).click();
    await page.getByRole('heading', { name: 'Overrides' }).waitFor();
    await page.getByRole('button', { name: 'Take back the override of Bob' }).click();
    await page.getByRole('heading', { name: 'Overrides' }).waitFor({ state: 'detached' });
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('gaps are said, and a form for an override says its faults beside their fields', async () => {
    const { page, context, faults } = await openPage(browser, `${router()}/oncall`, PHONE);
    const office = page.getByRole('region', { name: /^office/ });
    await office.getByText('Nobody is on call').waitFor();
    await office.getByText('changes by the clock of').waitFor({ state: 'detached' });
    const primary = page.getByRole('region', { name: /^primary changes by the clock of America\/New_York/ });
    await primary.getByRole('button', { name: 'Add an override' }).click();
    const to = primary.getByLabel('To', { exact: true });
    await to.fill('2020-01-01T00:00');
    await primary.getByRole('button', { name: 'Put on call' }).click();
    await primary.getByText('It must end after it begins').waitFor();
    assert.equal(await to.getAttribute('aria-invalid'), 'true');
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('who is slower is told what had happened, and by whom', async () => {
    const url = `${router()}/incidents/1`;
    const [quick, slow] = [await openPage(browser, url), await openPage(browser, url, PHONE, /ERR_FAILED/)];
    await slow.page.getByRole('button', { name: 'Resolve', exact: true }).waitFor();
    // What changes does not reach them any more; what they do still goes out.
    await slow.page.route(/api\/v1\/(incidents|events)/, (route) =>
      route.request().method() === 'GET' ? route.abort() : route.continue(),
    );
    await quick.page.getByRole('button', { name: 'Resolve', exact: true }).click();
    await quick.page.getByRole('button', { name: 'Resolve it' }).click();
    await quick.page.getByText('#1 is resolved.').waitFor();
    await slow.page.getByRole('button', { name: 'Snooze', exact: true }).click();
    await slow.page.getByRole('button', { name: '15 min' }).click();
    await slow.page.getByText(/Nothing was changed: #1 is resolved already by anonymous/).waitFor();
    for (const { context } of [quick, slow]) await context.close();
  });

  test('what was done stands in the audit trail', async () => {
    const { page, context } = await openPage(browser, `${router()}/audit`);
    await page
      .getByText(/silences/)
      .first()
      .waitFor();
    await page
      .getByText(/incidents/)
      .first()
      .waitFor();
    await context.close();
  });
});

const focused = async (page: { evaluate<T>(code: string): Promise<T> }): Promise<string> =>
  await page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""');
