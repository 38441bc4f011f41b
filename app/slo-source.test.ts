/** What a wrong source of a replay is told, and with which exit code it ends. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { Command } from 'commander';
import { seconds } from '#kernel/units.ts';
import { KINDS, objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { servePages } from '#test/kit/prometheus.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import {
  addSourceOptions,
  parseMoment,
  readSource,
  type SourceOptions,
  tickOption,
  wrongSource,
} from './slo-source.ts';

const folder = temporaryFolder();
after(() => removeFolder(folder));
const objective = objectiveOf();
const [FROM, TO] = [seconds(1_772_323_200), seconds(1_772_409_600)];
const SERVER = 'http://127.0.0.1:1';

function events(text: string): string {
  const path = join(folder, 'events.csv');
  writeFileSync(path, text);
  return path;
}

const WRONG: readonly [title: string, options: SourceOptions, says: RegExp | undefined][] = [
  ['no source', {}, /either --events or --prometheus/],
  ['both sources', { events: 'a.csv', prometheus: SERVER, from: FROM }, /either --events or --prometheus/],
  ['a server without a beginning', { prometheus: SERVER }, /needs --from/],
  ['a server that is no URL', { prometheus: 'here', from: FROM }, /"here": expected a URL/],
  ['a step of a file', { events: 'a.csv', step: seconds(15) }, /--step goes with --prometheus alone/],
  ['a header of a file', { events: 'a.csv', authorizationFile: 'b' }, /--authorization-file goes with --prometheus/],
  ['an end before the beginning', { events: 'a.csv', from: TO, to: FROM }, /--to must be after --from/],
  ['a file', { events: 'a.csv', from: FROM, to: TO }, undefined],
  ['a server', { prometheus: SERVER, from: FROM, step: seconds(15), tenant: 'a' }, undefined],
];
for (const [title, options, says] of WRONG) {
  test(`wrongSource() of ${title} ${says === undefined ? 'has nothing to say' : 'says what is wrong'}`, () => {
    const found = wrongSource(options);
    if (says === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', says);
  });
}

const ARGUMENTS: readonly [args: readonly string[], says: RegExp][] = [
  [['--from', '2026-03-01'], /expected a moment with its offset/],
  [['--from', '2026-02-30T25:00:00Z'], /expected a moment with its offset/],
  [['--to', '2026-03-01T00:00:00'], /expected a moment with its offset/],
  [['--step', '15'], /expected a duration of 1s to 1h/],
  [['--step', '2h'], /expected a duration of 1s to 1h/],
];
for (const [args, says] of ARGUMENTS) {
  test(`${args.join(' ')} is refused`, async () => {
    const command = addSourceOptions(new Command('x').exitOverride().configureOutput({ writeErr: () => undefined }));
    await assert.rejects(command.parseAsync([...args], { from: 'user' }), says);
  });
}

const REFUSED: readonly [title: string, text: string, more: SourceOptions, says: RegExp][] = [
  ['a broken row', '0,1,0\n5,x,0\n', {}, /events\.csv:2 {2}fault: expected three numbers/],
  ['milliseconds', '1700000000000,1,0\n', {}, /events\.csv:1 {2}fault: .*are these milliseconds/],
  ['nothing', '', {}, /fault: there are no rows/],
  ['no row in the span', '0,1,0\n', { from: FROM }, /no row lies between --from and --to/],
];
for (const [title, text, more, says] of REFUSED) {
  test(`readSource() refuses a file with ${title}: 1`, async () => {
    const source = await readSource(objective, { events: events(text), ...more });
    assert(source.kind === 'refused' && source.code === 1);
    assert.match(source.message, says);
  });
}

test('readSource() takes the rows after --from and up to --to', async () => {
  const path = events('10,1,0\n20,2,0\n30,3,0\n');
  const source = await readSource(objective, { events: path, from: seconds(10), to: seconds(20) });
  assert(source.kind === 'rows');
  assert.deepEqual(source.replay.rows, [{ at: 20, good: 2, bad: 0 }]);
});

test('readSource() says why a server gives nothing, and hides what it was shown', async () => {
  const span = { from: FROM, to: TO, step: seconds(3_600) };
  const told = async (options: SourceOptions, one = objective) => {
    const source = await readSource(one, { ...span, ...options });
    assert(source.kind === 'refused');
    return `${source.code} ${source.message}`;
  };
  const composite = KINDS.find(({ indicator }) => indicator.kind === 'composite');
  const header = join(folder, 'header');
  writeFileSync(header, 'Bearer hidden\n');
  let body = '{"status":"success","data":{"resultType":"matrix","result":[]}}';
  await using server = await servePages(() => ({ body }));
  assert.match(await told({ prometheus: SERVER }), /^1 Cannot reach http:\/\/127\.0\.0\.1:1/);
  assert.match(await told({ prometheus: SERVER, authorizationFile: 'nowhere' }), /^1 .*nowhere/);
  assert.match(await told({ prometheus: SERVER }, composite), /^1 kinds-whole cannot be read .*it is a composite/);
  assert.match(
    await told({ prometheus: SERVER, to: seconds(FROM + 60), from: seconds(FROM + 1) }),
    /^2 .*no whole step of 3600 s/,
  );
  assert.match(await told({ prometheus: server.url }), /^1 .* remembers no series of documents-by-hand/);
  body = '<html>';
  const refused = await told({ prometheus: server.url, authorizationFile: header });
  assert.match(refused, /^1 Cannot use the PromQL server's answer/);
  assert.doesNotMatch(refused, /hidden/);
});

test('--tick is told, and taken, as a duration', () => {
  const command = new Command('x').addOption(tickOption(seconds(5)));
  assert.match(command.helpInformation(), /--tick <duration> .*\(default: 5s\)/);
  assert.equal(command.opts()['tick'], 5);
  for (const [text, tick] of [
    ['5s', 5],
    ['1m', 60],
  ] as const) {
    assert.equal(command.parse(['--tick', text], { from: 'user' }).opts()['tick'], tick);
  }
});

test('parseMoment() takes a moment with its offset, and no day that is none', () => {
  assert.equal(parseMoment('2026-03-01T02:00+01:00'), Date.parse('2026-03-01T01:00Z') / 1000);
  for (const wrong of ['2026-02-31T00:00:00Z', '2026-03-01', '2026-13-01T00:00Z', '2026-03-01T25:00Z', 'yesterday']) {
    assert.throws(() => parseMoment(wrong), /expected a moment with its offset/, wrong);
  }
});
