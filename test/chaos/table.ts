/** The table of docs/reliability.md: a row for each scenario and database; a row that is measured again takes the old one's place. */
import { share, time } from '#loadtests/words.ts';
import type { ChaosResult } from './run.ts';

const HEAD = [
  ...['scenario', 'database', 'faults', 'documents', 'lost', 'duplicated', 'failed'],
  ...['time to page', 'time to recover', 'budget burned', 'load', 'verdict'],
];
const BEGIN = '<!-- made by npm run chaos -- --all --table -->';
const END = '<!-- end -->';

export function rowOf(result: ChaosResult): string[] {
  const { figures, pages, recoverMs, budget } = result;
  const first = Object.values(pages);
  return [
    result.scenario,
    result.database,
    result.faults,
    String(figures.documents),
    String(figures.lost),
    String(figures.duplicated),
    String(figures.failed),
    first.length === 0 ? 'none' : time(Math.min(...first)),
    recoverMs === null ? 'never' : time(recoverMs),
    figures.failed === 0 ? '0' : `${share(budget.spent, 1)}, ${budget.burnRate.toFixed(1)} ×`,
    result.load.toFixed(1),
    result.verdict,
  ];
}

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const cellsOf = (text: string): string[] =>
  text
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

/** @param order of scenarios. @throws where the page has no place for a table. */
export function withRows(page: string, rows: readonly (readonly string[])[], order: readonly string[]): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`The page has no ${BEGIN} … ${END}`);
  const before = page
    .slice(from, to)
    .split('\n')
    .filter((text) => text.startsWith('| '))
    .map(cellsOf)
    .filter(([name]) => name !== HEAD[0] && name !== '---');
  const all = new Map([...before, ...rows].map((row) => [`${row[0]} ${row[1]}`, row]));
  const rank = ([name = '']: readonly string[]) => order.indexOf(name);
  const sorted = [...all.values()].sort(
    (one, other) => rank(one) - rank(other) || (one[1] ?? '').localeCompare(other[1] ?? ''),
  );
  const rule = HEAD.map((_, i) => (i >= 3 && i < 7 ? '---:' : '---'));
  const table = [HEAD, rule, ...sorted].map(line).join('\n');
  return `${page.slice(0, from)}${BEGIN}\n\n${table}\n\n${page.slice(to)}`;
}
