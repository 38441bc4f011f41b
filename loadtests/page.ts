/**
 * A result as one page: no script, nothing from elsewhere, to be sent by mail or kept as an artefact. What k6 itself drew
 * lies beside it (`k6.html`).
 *
 * Pure.
 */
import type { Judged } from './judge.ts';
import { phaseChart, shareBar } from './page-charts.ts';
import type { Result } from './result.ts';
import {
  budgetWords,
  countLines,
  headline,
  idsShown,
  kneeWords,
  objectiveWords,
  PHASE_HEAD,
  phaseRow,
  STORE_HEAD,
  share,
  storeRows,
  text,
  time,
  USE_HEAD,
  useRow,
} from './words.ts';

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#d5dae0;--paper:#fff;--good:#1a7f37;--bad:#b42318;--doubt:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#3a424c;--paper:#12161b;--good:#4cc26a;--bad:#ff7b72;--doubt:#e3b341}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.kept{color:var(--good)}.broken{color:var(--bad)}.unknown,.unproven{color:var(--doubt)}.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}td.n{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}code{font-size:.85em;overflow-wrap:anywhere}svg{max-width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}
`;

export function pageOf(result: Result): string {
  const { scenario, verdict, target, begunAt, seconds, run } = result;
  const title = `Load test ${scenario}: ${verdict}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title><style>${STYLE}</style></head><body>
<h1>Load test ${text(scenario)}: <span class="${verdict}">${verdict}</span></h1>
<p>${text(headline(result))}</p>
<p class="soft">${text(target)} · ${text(begunAt)} · ${time(seconds * 1_000)} · run <code>${text(run)}</code></p>
${[early(result), reasons(result), objectives(result), counts(result), knee(result), phases(result), taken(result), budgets(result), rest(result)].filter(Boolean).join('\n')}
</body></html>
`;
}

const early = ({ endedEarly, verdict }: Result): string =>
  endedEarly === null
    ? ''
    : `<p class="${verdict === 'broken' ? 'broken' : 'soft'}">Ended early: ${text(endedEarly)}.</p>`;

const list = (items: readonly string[]): string => `<ul>${items.map((one) => `<li>${one}</li>`).join('')}</ul>`;

function reasons({ because, differences }: Result): string {
  if (because.length === 0) return '';
  const ids = differences.filter((one) => one.ids.length > 0);
  const told = ids.map(({ says, ids: all }) => `${all.length} ${text(says)}: <code>${text(idsShown(all))}</code>`);
  return `<h2>Why</h2>${list(because.map(text))}${told.length === 0 ? '' : `<h2>Which</h2>${list(told)}`}`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table><thead><tr>${head.map((one) => `<th>${text(one)}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</tbody></table></div>`;

/** Of what is not markup yet. */
const textTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  table(
    head,
    rows.map((row) => row.map(text)),
  );

function objectives(result: Result): string {
  if (result.objectives.length === 0) return '';
  const rows = result.objectives.map((judged) => [
    text(judged.promise.displayName),
    stateOf(judged),
    `${text(objectiveWords(judged))}<br>${shareBar(judged)}`,
    text(budgetWords(judged)),
  ]);
  return `<h2>Objectives</h2>${table(['objective', 'verdict', 'counted', 'error budget'], rows)}`;
}

function stateOf({ state, proven }: Judged): string {
  const doubt = proven || state === 'unknown' ? '' : ' <span class="unproven">(not proven)</span>';
  return `<span class="${state}">${state}</span>${doubt}`;
}

const counts = (result: Result): string =>
  `<h2>Two counts</h2>${textTable(
    ['who', 'what'],
    countLines(result),
  )}<p class="soft">Until completed, of what the sender saw the end of: half within ${time(result.durations.sender.p50)}, 95 % within ${time(
    result.durations.sender.p95,
  )}; as the database has it: ${time(result.durations.database.p50)} and ${time(result.durations.database.p95)}.</p>`;

const knee = (result: Result): string =>
  result.knee === null ? '' : `<h2>Knee</h2><p>${text(kneeWords(result.knee))}.</p>`;

const phases = ({ phases: all }: Result): string =>
  all.length < 2 ? '' : `<h2>Phases</h2>${phaseChart(all)}${textTable(PHASE_HEAD, all.map(phaseRow))}`;

function taken({ resources, counts: { database } }: Result): string {
  if (resources === null) return '';
  const names = resources.processes.map(({ name }) => name);
  const cores = resources.phases.map(({ phase, cores: all }) => [
    phase,
    ...names.map((name) => (all[name] ?? 0).toFixed(2)),
  ]);
  const parts = [
    textTable(USE_HEAD, resources.processes.map(useRow)),
    cores.length < 2 ? '' : textTable(['cores in phase', ...names], cores),
    textTable(STORE_HEAD, storeRows(resources, database['completed'] ?? 0)),
  ];
  return `<h2>What it took</h2>${parts.join('\n')}`;
}

const budgets = ({ budgets: all }: Result): string =>
  all.length === 0
    ? ''
    : `<h2>Budgets of the router</h2>${table(
        ['objective', 'left before', 'left after'],
        all.map(({ id, before, after }) => [text(id), left(before), left(after)]),
      )}`;

const left = (value: number): string => (value < 0 ? 'overspent' : share(value, 1));

const rest = ({ k6 }: Result): string =>
  `<h2>k6</h2><p>${k6.requests} requests; ${k6.dropped} arrivals could not be begun${
    k6.dropped > 0 ? ', so the load was less than it was meant to be' : ''
  }; ${k6.crossed.length === 0 ? 'all of its thresholds held' : `crossed: ${text(k6.crossed.join(', '))}`}.
<a href="k6.html">Its own page</a> · <a href="k6.log">its log</a> · <a href="documents.ndjson">every document</a> · <a href="result.json">everything as JSON</a></p>`;
