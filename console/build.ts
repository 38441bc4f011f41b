/** Builds the page (console/web) into console/dist, which the router serves. Needs the development dependencies. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export const PAGE_FOLDER = fileURLToPath(new URL('dist', import.meta.url));

/** @throws what Vite says of a fault in the page; where it is not installed, that it is not found */
export async function buildPage(): Promise<void> {
  await build({
    configFile: false,
    root: fileURLToPath(new URL('web', import.meta.url)),
    logLevel: 'warn',
    // The router may stand behind a prefix; it writes a <base> into the page.
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: PAGE_FOLDER,
      emptyOutDir: true,
      target: 'es2022',
      // A picture inlined as data: would need a policy that allows it.
      assetsInlineLimit: 0,
      // Vite writes it as a script into the page, which our policy forbids; browsers of the last years need none.
      modulePreload: { polyfill: false },
    },
  });
}
