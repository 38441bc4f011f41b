/** Burn rates of the rows that are seen, asked for together and kept for half a minute. */
import { signal } from '@preact/signals';
import { get } from './api.ts';
import { routerNow } from './now.ts';
import type { Sparkline } from './wire.ts';

const SECONDS = 10_800;
const POINTS = 36;
/** Of one asking. */
const MOST = 100;
const FRESH = 30_000;
const SETTLE = 120;

type Values = readonly (number | null)[];
export const sparklines = signal<ReadonlyMap<string, Values>>(new Map());

const askedAt = new Map<string, number>();
let wanted: readonly string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

export function wantSparklines(ids: readonly string[]): void {
  wanted = ids;
  clearTimeout(timer);
  timer = setTimeout(() => void ask(), SETTLE);
}

async function ask(): Promise<void> {
  const now = routerNow();
  const ids = wanted.filter((id) => (askedAt.get(id) ?? 0) < now - FRESH).slice(0, MOST);
  clearTimeout(timer);
  timer = setTimeout(() => void ask(), FRESH);
  if (ids.length === 0) return;
  for (const id of ids) askedAt.set(id, now);
  try {
    const found = await get<Sparkline[]>('api/v1/slos/sparklines', { id: ids, seconds: SECONDS, points: POINTS });
    sparklines.value = new Map([...sparklines.value, ...found.map(({ id, burnRates }) => [id, burnRates] as const)]);
  } catch {
    // The rows stand without their lines; the page says already that the router does not answer.
    for (const id of ids) askedAt.delete(id);
  }
}

/** The page is left. */
export function noSparklines(): void {
  clearTimeout(timer);
  wanted = [];
}
