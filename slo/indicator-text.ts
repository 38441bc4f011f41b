/** What is counted, on one line: for whoever reads an objective without its file. Pure. */
import type { Indicator, Query } from './objective.ts';
import { selectorText } from './promql.ts';

export function indicatorText(indicator: Indicator): string {
  switch (indicator.kind) {
    case 'ratio': {
      const [word, query] = indicator.bad ? ['bad', indicator.bad] : ['good', indicator.good];
      return `${word} ${query ? queryText(query) : ''} of ${queryText(indicator.total)}`;
    }
    case 'raw':
      return `${indicator.rawType} ratio ${queryText(indicator.query)}`;
    case 'threshold':
      return `${queryText(indicator.query)} ${indicator.op} ${indicator.limit}`;
    case 'composite':
      return `weighted: ${indicator.parts.map(({ weight, objective }) => `${weight} × ${objective.name}`).join(', ')}`;
    default:
      return indicator satisfies never;
  }
}

const queryText = (query: Query): string =>
  query.kind === 'selector' ? selectorText(query.selector) : query.text.replace(/\s+/g, ' ');
