/**
 * Batches that come at the same time are stored together: while one transaction is on its way to the disk, what comes
 * waits for the next, and each sender is answered when its own part is durable. Four senders of single alerts then cost a
 * commit each round, not four.
 */
export type Gathered<T> = (items: readonly T[]) => Promise<void>;

/**
 * @param store all of it durable or none.
 * @param most items in one go; a batch that is larger by itself goes alone.
 * @param lanes how many may be under way at once: one where all stand in line for one connection anyway.
 * @param worth beside another only what has so many items goes: a few are cheaper with those that come meanwhile.
 */
export function gather<T>(store: Gathered<T>, most: number, lanes: number, worth = 1): Gathered<T> {
  type Waiting = { readonly items: readonly T[]; readonly done: () => void; readonly failed: (error: unknown) => void };
  const waiting: Waiting[] = [];
  let busy = 0;
  const next = (): void => {
    if (busy >= lanes || waiting.length === 0) return;
    if (busy > 0 && waiting.reduce((sum, { items }) => sum + items.length, 0) < worth) return;
    const batch: Waiting[] = [];
    let size = 0;
    for (let one = waiting[0]; one !== undefined; one = waiting[0]) {
      if (batch.length > 0 && size + one.items.length > most) break;
      batch.push(one);
      size += one.items.length;
      waiting.shift();
    }
    busy++;
    void keep(store, batch).finally(() => {
      busy--;
      next();
    });
  };
  return (items) =>
    new Promise<void>((done, failed) => {
      waiting.push({ items, done, failed });
      next();
    });
}

type Kept<T> = { readonly items: readonly T[]; readonly done: () => void; readonly failed: (error: unknown) => void };

/** What could not be stored together is tried once by itself, so that nobody's batch is refused for another's. */
async function keep<T>(store: Gathered<T>, batch: readonly Kept<T>[]): Promise<void> {
  try {
    await store(batch.flatMap(({ items }) => items));
    for (const { done } of batch) done();
  } catch (error) {
    const [only] = batch;
    if (batch.length === 1) return only?.failed(error);
    for (const { items, done, failed } of batch) await store(items).then(done, failed);
  }
}
