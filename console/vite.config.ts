/** Builds the page into console/dist: `npm run build`, and `npm ci` by itself. */
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'console/web',
  // The router may stand behind a prefix; it writes a <base> into the page.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    // A picture inlined as data: would need a policy that allows it.
    assetsInlineLimit: 0,
    // Inlined by Vite as a script, which our policy forbids; browsers of the last years know it.
    modulePreload: { polyfill: false },
  },
});
