/**
 * `npm run bench:slo`: detection, cost and compile. `--only detection` for one of them, `--quick` for a first look,
 * `--objectives 1000,10000` for the sizes of `cost`.
 */
import { parseArgs } from 'node:util';
import { backtestCost, cost, costHead } from './slo-cost.ts';
import { curves } from './slo-curves.ts';
import { falsePages, timeToPage } from './slo-detection.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean' }, objectives: { type: 'string' } },
});
const parts: Readonly<Record<string, () => Promise<void> | void>> = {
  detection: () => {
    timeToPage(values.quick ? 5 : 40);
    falsePages(values.quick ? 1 : 3);
  },
  curves,
  cost: () => {
    costHead();
    for (const count of (values.objectives ?? (values.quick ? '1000' : '1000,10000')).split(',')) cost(Number(count));
    backtestCost();
  },
};
for (const [name, part] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue;
  process.stderr.write(`${name} …\n`);
  await part();
}
