/**
 * What somebody is writing, kept in this tab until it is sent or thrown away: a wrong link, a reload or a session that ended
 * takes no words away. Signing out does, since the next one at this desk may be somebody else.
 */
const PREFIX = 'burnline.draft.';
/** A browser's own limit is some five million characters for all that a tab keeps. */
const CHARACTERS_MOST = 500_000;

export function keepDraft(key: string, draft: object): void {
  const text = JSON.stringify(draft);
  if (text.length > CHARACTERS_MOST) return;
  try {
    sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // A browser that keeps nothing: it lives as long as its page.
  }
}

/** @returns what `keepDraft` was given under this key. */
export function readDraft<Draft extends object>(key: string): Draft | undefined {
  try {
    const text = sessionStorage.getItem(PREFIX + key);
    return text === null ? undefined : (JSON.parse(text) as Draft);
  } catch {
    return undefined;
  }
}

export function dropDraft(key: string): void {
  try {
    sessionStorage.removeItem(PREFIX + key);
  } catch {}
}

export function dropDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  } catch {}
}
