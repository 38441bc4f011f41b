/** Counts what ran, for the plain line that CI reads, and how long each file took. One JSON object at the end. */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

export default async function* count(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const files: Record<string, number> = {};
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.nesting === 0 && data.file !== undefined) {
      const file = relative(process.cwd(), data.file);
      files[file] = (files[file] ?? 0) + data.details.duration_ms;
    }
    if (data.details.type === 'suite') continue;
    if (data.skip !== undefined) counts.skipped++;
    else if (type === 'test:pass') counts.passed++;
    else counts.failed++;
  }
  yield JSON.stringify({ ...counts, files });
}
