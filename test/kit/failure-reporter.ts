/** For CI's log: a line for each file's progress would be noise, so only failures are told, whole. */

import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

export default async function* failures(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type !== 'test:fail' || data.details.type === 'suite') continue;
    yield `FAILED ${data.file ?? ''}:${data.line ?? ''} ${data.name}\n${inspect(data.details.error, { depth: 4 })}\n\n`;
  }
}
