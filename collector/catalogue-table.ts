/** The catalogue as a Markdown table, for docs/telemetry.md. Pure. */
import { INSTRUMENT_NAMES, type InstrumentName, instrument, type Values } from './catalogue.ts';

export function catalogueTable(): string {
  const rows = INSTRUMENT_NAMES.map((name) => `| ${cells(name).join(' | ')} |`);
  return ['| name | kind | labels | roles | what it says |', '| --- | --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function cells(name: InstrumentName): string[] {
  const { kind, attributes, roles, help, buckets } = instrument(name);
  const labels = Object.entries(attributes).map(([key, values]) => `\`${key.replaceAll('.', '_')}\`${setOf(values)}`);
  const bounds = buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')}.`;
  return [`\`${name}\``, kind.replace('observable ', ''), labels.join('; ') || '–', roles.join(', '), help + bounds];
}

function setOf(values: Values): string {
  if (values === 'bounded') return '';
  return values === 'bounded?' ? ' (if any)' : `: ${values.join(', ')}`;
}
