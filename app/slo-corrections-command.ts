/** `burnline slo corrections`, against the running router: what shall not count, entered, listed and taken back. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { type Seconds, toMilliseconds } from '#kernel/units.ts';
import { BY, JSON_OPTION, type Json } from './incident-commands.ts';
import { askRouter, askRouterText, ROUTER_ENVIRONMENT } from './router-client.ts';
import { correctionPage, correctionShape } from './router-wire.ts';
import { parseMoment } from './slo-source.ts';
import { columns, oneLine } from './terminal.ts';

type CorrectionView = z.infer<typeof correctionShape>;

export function addCorrectionCommands(slo: Command): void {
  const corrections = slo
    .command('corrections')
    .description(
      'what was counted by the running router and shall not count: maintenance, a failure that was not ours',
    );
  corrections
    .command('list <objective>', { isDefault: true })
    .description('newest first, those that were taken back too')
    .addOption(JSON_OPTION())
    .action(list);
  corrections
    .command('add <objective>')
    .description('takes a time, or bad events of it, out of what counts')
    .requiredOption('--from <moment>', 'such as 2026-03-01T00:00:00Z', parseMoment)
    .requiredOption('--to <moment>', 'such as 2026-03-01T02:00:00Z', parseMoment)
    .requiredOption('--reason <text>', 'for whoever reads the report')
    .addOption(
      new Option('--share <share>', 'this share of the bad events alone, above 0, up to 1').argParser(parseAmount),
    )
    .addOption(
      new Option('--events <count>', 'so many bad events alone, the earliest')
        .argParser(parseAmount)
        .conflicts('share'),
    )
    .addOption(BY())
    .addOption(JSON_OPTION())
    .action(add);
  corrections
    .command('withdraw <objective> <id>')
    .description('takes one back: what it took out counts again')
    .addOption(BY())
    .action(async (objective: string, id: string, { by }: { readonly by?: string }) => {
      const query = by === undefined ? '' : `?by=${encodeURIComponent(by)}`;
      await askRouterText(`${pathOf(objective)}/${encodeURIComponent(id)}${query}`, { method: 'DELETE' });
      process.stdout.write(`${id} is taken back.\n`);
    });
  corrections.addHelpText('after', ROUTER_ENVIRONMENT);
}

const pathOf = (objective: string): string => `/api/v1/slos/${encodeURIComponent(objective)}/corrections`;

async function list(objective: string, { json }: Json): Promise<void> {
  const found: CorrectionView[] = [];
  for (let cursor = ''; ; ) {
    const page = await askRouter(`${pathOf(objective)}?limit=500${cursor}`, correctionPage);
    found.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
  if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else process.stdout.write(found.length === 0 ? 'There are no corrections.\n' : listed(found));
}

type AddOptions = Json & {
  readonly from: Seconds;
  readonly to: Seconds;
  readonly reason: string;
  readonly share?: number;
  readonly events?: number;
  readonly by?: string;
};

async function add(objective: string, { json, from, to, share, events, ...given }: AddOptions): Promise<void> {
  const amount =
    share !== undefined ? { kind: 'share', share } : events !== undefined ? { kind: 'events', events } : {};
  const iso = (at: Seconds) => new Date(toMilliseconds(at)).toISOString();
  const body = { from: iso(from), to: iso(to), ...amount, ...given };
  const made = await askRouter(pathOf(objective), correctionShape, { method: 'POST', body });
  process.stdout.write(json ? `${JSON.stringify(made)}\n` : listed([made]));
}

function listed(all: readonly CorrectionView[]): string {
  const rows = all.map((one) => [
    one.id,
    one.from,
    one.to,
    one.share !== null ? `${one.share} of the bad` : one.events !== null ? `${one.events} bad` : 'everything',
    oneLine(one.by),
    one.withdrawnAt === null ? 'in force' : `taken back by ${oneLine(one.withdrawnBy ?? '')}`,
    oneLine(one.reason),
  ]);
  return columns([['ID', 'FROM', 'TO', 'WHAT', 'BY', 'STATE', 'REASON'], ...rows]);
}

function parseAmount(text: string): number {
  const amount = Number(text);
  if (!(text.trim() !== '' && amount > 0)) throw new InvalidArgumentError('expected a number above 0');
  return amount;
}
