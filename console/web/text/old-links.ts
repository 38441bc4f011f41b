/** Alertmanager's page had its places behind a `#`: links to it in messages and dashboards go on leading somewhere. Pure. */

/** @param hash such as `#/silences/4f2…` @returns the path of ours; undefined: it is none of theirs. */
export function comeFromElsewhere(hash: string): string | undefined {
  const [, place, rest] = /^#\/(alerts|silences|status)(?:\/([^?]*))?/.exec(hash) ?? [];
  if (place === undefined) return undefined;
  if (place === 'status') return '';
  if (place === 'silences' && rest === 'new') return 'silences';
  return place;
}
