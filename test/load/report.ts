/** Writes the three files of a result, and says on the terminal what is in them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { columns, paint } from '#app/terminal.ts';
import { junitOf } from '#loadtests/junit.ts';
import { pageOf } from '#loadtests/page.ts';
import type { Result } from '#loadtests/result.ts';
import {
  countLines,
  headline,
  idsShown,
  objectiveWords,
  PHASE_HEAD,
  phaseRow,
  USE_HEAD,
  useRow,
} from '#loadtests/words.ts';

const COLOURS = { kept: 'green', broken: 'red', unknown: 'yellow' } as const;

export function writeReports(result: Result, folder: string): void {
  writeFileSync(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(join(folder, 'junit.xml'), junitOf(result));
  writeFileSync(join(folder, 'index.html'), pageOf(result));
}

const setIn = (rows: readonly (readonly string[])[]): string =>
  columns(rows.map(([first, ...more]) => [`  ${first}`, ...more]));

/** @param paths for a file that is no terminal, nothing is painted. */
export function tellResult(result: Result, folder: string, stream: NodeJS.WriteStream): void {
  const { verdict, objectives, phases, differences, because, k6, resources } = result;
  const rows = objectives.map((judged) => [
    `  ${judged.promise.displayName}`,
    paint(COLOURS[judged.state], judged.state, stream),
    objectiveWords(judged),
  ]);
  const say = (text: string) => void stream.write(text);
  say('\n');
  if (rows.length > 0) say(columns(rows));
  if (phases.length > 1) say(setIn([PHASE_HEAD, ...phases.map(phaseRow)]));
  say(setIn(countLines(result)));
  if (resources !== null) say(`\n${setIn([USE_HEAD, ...resources.processes.map(useRow)])}`);
  if (k6.dropped > 0) say(`  k6 could not begin ${k6.dropped} arrivals: the load was less than it was meant to be\n`);
  for (const { says, ids } of differences) say(paint('red', `  ${says}: ${idsShown(ids)}\n`, stream));
  say(`\n${paint(COLOURS[verdict], verdict, stream)}: ${headline(result)}\n`);
  for (const one of because.slice(1)) say(`        ${one}\n`);
  say(`${join(folder, 'index.html')}\n`);
}
