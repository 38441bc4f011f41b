/** The small pages that a signed link opens. Opening one changes nothing: the button does. Pure. */
import { createHash } from 'node:crypto';
import type { LinkAction } from '#alerting/links.ts';
import { escapeHtml } from '#alerting/notify/text.ts';
import type { Incident } from '#alerting/store.ts';

const STYLE = `body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.25rem}button{font:inherit;width:100%;padding:1rem;border:0;border-radius:.5rem;background:#0b57d0;color:#fff}
@media(prefers-color-scheme:dark){body{color:#eee;background:#111}button{background:#a8c7fa;color:#111}}`;
/** No script, no picture, no other style; the form leads back to us alone. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; frame-ancestors 'none'`;

const WORDS: Readonly<Record<LinkAction, { readonly ask: string; readonly done: string }>> = {
  acknowledge: { ask: 'I am on it: acknowledge', done: 'Acknowledged. Nobody else is woken for it.' },
  silence: { ask: 'Silence it for two hours', done: 'Silenced for two hours.' },
};

export function askPage(incident: Incident, action: LinkAction): string {
  return page(
    headOf(incident),
    `<p>${escapeHtml(stateOf(incident))}</p><form method="post"><button type="submit">${WORDS[action].ask}</button></form>`,
  );
}

export const donePage = (incident: Incident, action: LinkAction): string =>
  page(headOf(incident), `<p>${WORDS[action].done}</p>`);

export const refusedPage = (why: string): string => page('This link does not work', `<p>${escapeHtml(why)}</p>`);

const headOf = ({ number, title, service }: Incident): string => `#${number} ${title}${service ? ` (${service})` : ''}`;

function stateOf({ state, severity, acknowledgedBy }: Incident): string {
  const by = state === 'acknowledged' && acknowledgedBy !== undefined ? ` by ${acknowledgedBy}` : '';
  return `${severity}, ${state}${by}`;
}

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>${STYLE}</style></head><body><h1>${escapeHtml(title)}</h1>${body}</body></html>
`;
