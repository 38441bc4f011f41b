import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { minutes } from '#kernel/units.ts';
import { fileHead, groupText } from './yaml.ts';

const KEYS = fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__');
const CHARACTERS = fc.string({
  unit: fc.oneof(
    fc.constantFrom(' ', '\n', '\t', '\r', '#', ':', '\u0085', '\u2028', '\ufeff', '\x7f'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  ),
});
const LINES = fc.array(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 4 }).map((lines) => lines.join('\n'));
const LABELS = fc.dictionary(KEYS, CHARACTERS);
const EXPR = fc.oneof(CHARACTERS, LINES);

test('groupText() says to a reader of YAML what it was given', () => {
  fc.assert(
    fc.property(CHARACTERS, EXPR, LABELS, LABELS, (name, expr, labels, annotations) => {
      const rule = { kind: 'alert', alert: name, expr, labels, annotations } as const;
      const record = { kind: 'record', record: 'slo:x:y', expr, labels } as const;
      const text = groupText({ name, interval: minutes(1), rules: [rule, record] });
      const found = parse(`${fileHead('test')}${text}`, { maxAliasCount: 0 });
      const noted = (map: object) => (Object.keys(map).length === 0 ? undefined : map);
      assert.deepEqual(
        JSON.parse(JSON.stringify(found)),
        JSON.parse(
          JSON.stringify({
            groups: [
              {
                name,
                interval: '1m',
                rules: [
                  { alert: name, expr, labels: noted(labels), annotations: noted(annotations) },
                  { record: 'slo:x:y', expr, labels: noted(labels) },
                ],
              },
            ],
          }),
        ),
      );
    }),
  );
});
