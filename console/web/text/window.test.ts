import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { rowsSeen } from './window.ts';

test('every row that touches the window is among those seen, and not many more', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -5_000, max: 500_000 }),
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 10, max: 200 }),
      fc.integer({ min: 0, max: 10_000 }),
      (top, height, row, count) => {
        const { first, end } = rowsSeen(top, height, row, count);
        assert(first >= 0 && first <= end && end <= count);
        assert(end - first <= Math.ceil(height / row) + 18);
        for (let i = 0; i < count; i += Math.max(1, Math.floor(count / 300))) {
          const touches = i * row < top + height && (i + 1) * row > top;
          if (touches) assert(i >= first && i < end, `row ${i}`);
        }
      },
    ),
  );
});
