/** What the browser keeps for the page: `localStorage` for good, `sessionStorage` for this tab. One that keeps nothing is none the worse: it holds as long as the page. */
type Where = 'localStorage' | 'sessionStorage';

/** @param text empty: it is no longer kept. */
export function keep(where: Where, key: string, text: string): void {
  try {
    if (text === '') window[where].removeItem(key);
    else window[where].setItem(key, text);
  } catch {}
}

/** @returns empty where nothing is kept. */
export function readKept(where: Where, key: string): string {
  try {
    return window[where].getItem(key) ?? '';
  } catch {
    return '';
  }
}

export function keysKept(where: Where): string[] {
  try {
    return Object.keys(window[where]);
  } catch {
    return [];
  }
}
