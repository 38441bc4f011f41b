/** How a load test goes on, on a terminal: one line that changes; elsewhere a line now and then. */
import { paint } from '#app/terminal.ts';
import { type Milliseconds, toSeconds } from '#kernel/units.ts';
import { tallyOf } from '#loadtests/book.ts';
import type { Plan } from '#loadtests/k6/plan.ts';
import type { Progress } from '#loadtests/loadtest.ts';
import { quantile } from '#loadtests/phases.ts';
import { time } from '#loadtests/words.ts';

const EVERY_ON_A_TERMINAL = 1_000;
const EVERY_ELSEWHERE = 10_000;
/** Of the last documents that were completed. */
const RECENT = 500;

export function makeProgress(plan: Plan, stream: NodeJS.WriteStream): (progress: Progress) => void {
  const onTerminal = stream.isTTY === true;
  const every = onTerminal ? EVERY_ON_A_TERMINAL : EVERY_ELSEWHERE;
  let told = Number.NEGATIVE_INFINITY;
  let open = false;
  const end = () => {
    if (open) stream.write('\n');
    open = false;
  };
  const line = (text: string) => {
    if (!onTerminal) return void stream.write(`${text}\n`);
    stream.write(`\r\u001b[2K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
    open = true;
  };
  return (progress) => {
    if (progress.kind === 'says') {
      end();
      stream.write(`${paint('dim', progress.text, stream)}\n`);
      told = Number.NEGATIVE_INFINITY;
      return;
    }
    const now = performance.now();
    if (progress.kind === 'settling' && progress.unfinished === 0) return end();
    if (now - told < every) return;
    told = now;
    if (progress.kind === 'settling') return line(`${progress.unfinished} documents are not at an end yet`);
    line(sending(plan, progress));
  };
}

function sending({ phases }: Plan, { book, elapsed }: Extract<Progress, { kind: 'sending' }>): string {
  const entries = [...book.entries.values()];
  const tally = tallyOf(entries);
  const phase = phases.find(({ to }) => elapsed < to);
  const whole = phases.at(-1)?.to ?? 0;
  const recent = entries
    .slice(-RECENT)
    .flatMap(({ outcome, ms }) => (outcome === 'completed' && ms !== undefined ? [ms] : []));
  const where = phase === undefined ? 'the last documents' : `${phase.name} ${phase.rate}/s`;
  const counts = `${entries.length} sent  ${tally.completed} completed  ${tally.rejected} rejected  ${tally.failed} failed`;
  const trouble = [tally.refused, tally.unanswered, tally.missing].some((n) => n > 0)
    ? `  ${tally.refused} refused  ${tally.unanswered} unanswered  ${tally.missing} LOST`
    : '';
  return `${clock(elapsed)} of ${clock(whole as Milliseconds)}  ${where}  ${counts}${trouble}  p95 ${time(quantile(recent, 0.95))}`;
}

function clock(ms: Milliseconds): string {
  const all = Math.round(toSeconds(ms));
  const [hours, minutes, seconds] = [Math.floor(all / 3_600), Math.floor(all / 60) % 60, all % 60];
  const pad = (n: number) => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds)}` : `${minutes}:${pad(seconds)}`;
}
