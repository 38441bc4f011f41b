/**
 * What somebody is writing, kept in this tab until it is sent or thrown away: a wrong link, a reload or a session that ended
 * takes no words away. Signing out does, since the next one at this desk may be somebody else.
 */
import { keep, keysKept, readKept } from './kept.ts';

const PREFIX = 'burnline.draft.';
/** A browser's own limit is some five million characters for all that a tab keeps. */
const CHARACTERS_MOST = 500_000;

export function keepDraft(key: string, draft: object): void {
  const text = JSON.stringify(draft);
  if (text.length <= CHARACTERS_MOST) keep('sessionStorage', PREFIX + key, text);
}

/** @returns what `keepDraft` was given under this key. */
export function readDraft<Draft extends object>(key: string): Draft | undefined {
  const text = readKept('sessionStorage', PREFIX + key);
  try {
    return text === '' ? undefined : (JSON.parse(text) as Draft);
  } catch {
    return undefined;
  }
}

export const dropDraft = (key: string): void => keep('sessionStorage', PREFIX + key, '');

export function dropDrafts(): void {
  for (const key of keysKept('sessionStorage')) if (key.startsWith(PREFIX)) keep('sessionStorage', key, '');
}
