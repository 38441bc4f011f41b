/**
 * `npm run test:sim [-- --seeds 100000 --first 1]`: plays that many histories and says which break what. A seed that fails
 * is played again by `--first SEED --seeds 1`.
 */
import { parseArgs } from 'node:util';
import { wrongsOf } from './invariants.ts';
import { simulate } from './world.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '100000' }, first: { type: 'string', default: '1' } },
});
const [seeds, first] = [Number(values.seeds), Number(values.first)];
const SHOWN = 20;

let failed = 0;
let crashes = 0;
let messages = 0;
const began = performance.now();
for (let seed = first; seed < first + seeds; seed++) {
  const wrongs = await simulate(seed).then(
    (history) => {
      crashes += history.crashes;
      messages += history.arrived.length;
      return wrongsOf(history);
    },
    (error: Error) => [String(error.stack)],
  );
  if (wrongs.length > 0 && ++failed <= SHOWN) process.stdout.write(`seed ${seed}: ${wrongs.join('; ')}\n`);
  if ((seed - first + 1) % 10_000 === 0) process.stderr.write(`${seed - first + 1} histories, ${failed} failed\n`);
}
const spent = ((performance.now() - began) / 1_000).toFixed(1);
process.stdout.write(`${seeds} histories, ${crashes} crashes, ${messages} messages, ${failed} failed, ${spent} s\n`);
process.exitCode = failed === 0 ? 0 : 1;
