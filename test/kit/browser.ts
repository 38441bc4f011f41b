/** A real Chromium that looks at the console as a person does, and says what went wrong in the page. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export const CHROMIUM = process.env['TEST_TOOL_CHROMIUM'];
export const NO_BROWSER = CHROMIUM === undefined && 'chromium is not here';

const FLAGS = ['no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'disable-sync'].concat([
  'disable-background-networking',
  'disable-component-update',
]);
/** Of what is waited for: this machine does other things, too. */
const PATIENCE = 20_000;

export const openBrowser = async (): Promise<Browser> =>
  await chromium.launch({ executablePath: CHROMIUM ?? '', args: FLAGS.map((flag) => `--${flag}`) });

export const PHONE = { viewport: { width: 360, height: 740 }, colorScheme: 'dark', hasTouch: true } as const;
export const WIDE = { viewport: { width: 1280, height: 900 }, colorScheme: 'light' } as const;

export type Seen = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Faults of the page since it was opened: what threw, what the policy forbade, what it wrote as an error. */
  readonly faults: string[];
};

/** @param expected what may be written as an error, such as the browser's own line of a refusal that is asked for */
export async function openPage(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newContext']>[0] = WIDE,
  expected: RegExp = /^$/,
): Promise<Seen> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`threw ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) faults.push(message.text());
  });
  await page.goto(url);
  return { page, context, faults };
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
type AxeFault = { readonly id: string; readonly impact: string; readonly nodes: readonly { readonly html: string }[] };

/** What axe-core calls serious or critical. The page's policy lets no script in from elsewhere: this one comes by the debugger. */
export async function seriousFaults(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: `${readFileSync(AXE, 'utf8')};0` });
  const faults = await page.evaluate<readonly AxeFault[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => ({ html })) })))`,
  );
  await session.detach();
  return faults.map(
    ({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
  );
}

/** Nothing is wider than the screen: a page that scrolls sideways cannot be read with one thumb. */
export async function assertFits(page: Page, what: string): Promise<void> {
  const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  assert(beyond <= 0, `${what} is ${beyond} pixels wider than the screen`);
}
