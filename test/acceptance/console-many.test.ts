/** A thousand objectives and ten thousand alerts: only what is seen is in the page, and all of it can be reached. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { gzipSync } from 'node:zlib';
import { hash } from 'bcryptjs';
import type { Browser } from 'playwright-core';
import { PAGE_FOLDER } from '#console/build.ts';
import { NO_BROWSER, openBrowser, openPage, PHONE, WIDE } from '#test/kit/browser.ts';
import { burnline } from '#test/kit/cli.ts';
import { startMany } from '#test/kit/many.ts';
import { type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

const [OBJECTIVES, ALERTS] = [1_000, 10_000];
/** Bytes, gzip, of script and style together. */
const FIRST_LOAD_MOST = 120 * 1_024;

describe('the console with much in it', { skip: NO_BROWSER, timeout: 300_000 }, () => {
  const folder = temporaryFolder();
  let router: Running;
  let browser: Browser;
  before(async () => {
    router = await startMany(folder, OBJECTIVES, ALERTS);
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await router?.stop();
    removeFolder(folder);
  });
  const url = () => router.urls['router'] ?? '';

  test('holds a few of a thousand objectives, and leads to the last one', async () => {
    const { page, faults, context } = await openPage(browser, url(), PHONE);
    await page.getByText(`of ${OBJECTIVES} kept`).waitFor();
    const held = async () => await page.locator('.objective').count();
    assert((await held()) < 60, `${await held()} rows are in the page`);
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.locator(`[aria-posinset="${OBJECTIVES}"]`).waitFor();
    assert((await held()) < 60, `${await held()} rows are in the page`);
    await page.getByLabel('Find objectives').fill('service-777');
    await page.getByText('Requests of service 777').waitFor();
    assert.equal(await held(), 1);
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('scrolls through ten thousand alerts, which come as they are needed', async () => {
    const { page, faults, context } = await openPage(browser, `${url()}/alerts`);
    await page.getByText(/10 k alerts fire/).waitFor();
    const last = page.locator(`[aria-posinset="${ALERTS}"]`);
    for (let i = 0; i < 60 && (await last.count()) === 0; i++) {
      await page.evaluate('scrollTo(0, document.body.scrollHeight)');
      await page.waitForTimeout(250);
    }
    await last.waitFor();
    assert((await page.locator('.alert-row').count()) < 60);
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('first load is small', () => {
    const html = readFileSync(join(PAGE_FOLDER, 'index.html'), 'utf8');
    const named = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, file = '']) => file);
    const size = named.reduce((sum, file) => sum + gzipSync(readFileSync(join(PAGE_FOLDER, file))).length, 0);
    assert(named.length >= 2, html);
    assert(size <= FIRST_LOAD_MOST, `${size} bytes of ${named.join(', ')}`);
    // Also with everything that is loaded later, such as the charts.
    const all = readdirSync(join(PAGE_FOLDER, 'assets')).map((file) => join(PAGE_FOLDER, 'assets', file));
    const whole = all.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
    assert(whole <= FIRST_LOAD_MOST, `${whole} bytes in all`);
  });
});

describe('the console where a key is needed', { skip: NO_BROWSER, timeout: 120_000 }, () => {
  const folder = temporaryFolder();
  let router: Running;
  let browser: Browser;
  before(async () => {
    const made = await burnline(['keys', 'create', '--name', 'phone', '--roles', 'viewer', '--router', '--json'], {
      BURNLINE_STATE: folder,
    });
    assert.equal(made.code, 0, made.stderr);
    key = (JSON.parse(made.stdout) as { key: string }).key;
    // Where there are users, nobody comes in without being known.
    const web = join(folder, 'web.yml');
    writeFileSync(web, `basic_auth_users: {grace: "${await hash('a long password', 4)}"}\n`);
    const args = ['--web.listen-address=127.0.0.1:0', `--web.config.file=${web}`];
    router = await startRole('router', { BURNLINE_STATE: folder }, args);
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await router?.stop();
    removeFolder(folder);
  });

  let key = '';
  test('a viewer signs in by a key, sees, may not act, and signs out', async () => {
    const url = router.urls['router'] ?? '';
    const { page, context } = await openPage(browser, url, WIDE, /401/);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('It is empty').waitFor();
    await page.getByLabel('API key or token').fill('bl_nobody_knows_this');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText(/neither an API key/).waitFor();
    await page.getByLabel('API key or token').fill(key);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Nothing is open.').waitFor();
    await page.reload();
    await page.getByText('Nothing is open.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Audit' }).count(), 0);
    await page.goto(`${url}/silences`);
    await page.getByText('Nothing is silenced').waitFor();
    assert.equal(await page.getByRole('button', { name: 'New silence' }).count(), 0);
    await page.getByRole('button', { name: /account and appearance/ }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await context.close();
  });

  test('whose session ends on a page is told so, signs in, and is on that page again', async () => {
    const url = router.urls['router'] ?? '';
    const { page, context } = await openPage(browser, `${url}/silences?state=expired`, WIDE, /401/);
    const signIn = async () => {
      await page.getByLabel('API key or token').fill(key);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByText('Nothing is silenced').waitFor();
    };
    await signIn();
    // As another window would sign out.
    const ended = `fetch('/api/v1/session', { method: 'DELETE', headers: { 'x-burnline-console': '1' } })`;
    assert.equal(await page.evaluate(`${ended}.then(({ status }) => status)`), 204);
    await page.getByText('the session has ended').waitFor();
    await signIn();
    assert.equal(page.url(), `${url}/silences?state=expired`);
    await context.close();
  });

  test('somebody with a name and a password signs in, and the answer bears that name', async () => {
    const url = router.urls['router'] ?? '';
    const { page, context } = await openPage(browser, url, PHONE, /401/);
    await page.getByRole('button', { name: 'With a name and a password' }).click();
    await page.getByLabel('Name').fill('grace');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('The name or the password is wrong.').waitFor();
    await page.getByLabel('Password').fill('a long password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Nothing is open.').waitFor();
    await page.getByRole('button', { name: /grace.*account and appearance/ }).waitFor();
    await context.close();
  });
});
