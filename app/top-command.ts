/** `burnline top`: objectives, incidents, documents and vendors, live on a terminal. */
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { systemClock } from '#kernel/clock.ts';
import { onStopSignal } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { askDocuments, askOnCall, askRouter, ROUTER_ENVIRONMENT } from './router-client.ts';
import { incidentPage } from './router-wire.ts';
import { type Asked, type Picture, type Size, screen } from './top-screen.ts';
import { pulseShape, sloShape } from './top-wire.ts';

type Options = { readonly once?: boolean; readonly json?: boolean; readonly every: Milliseconds };

const EVERY = milliseconds(2_000);
/** Where no terminal says. */
const USUAL: Size = { columns: 80, rows: 10_000 };
const NOTHING_ANSWERS = 1;

export function addTopCommand(program: Command): void {
  program
    .command('top')
    .description('what is broken, who is on it, how the documents go: live, until Ctrl-C')
    .option('--once', 'one picture, and the end')
    .option('--json', 'with --once: as JSON')
    .option('--every <seconds>', 'how often it looks', parseSeconds, EVERY)
    .addHelpText(
      'after',
      `${ROUTER_ENVIRONMENT}
  BURNLINE_URL          the document API; default: http://127.0.0.1:8080
  NO_COLOR              set: without colour

Exit codes: 0, 1 with --once when neither answers, 2 wrong usage.`,
    )
    .action(top);
}

function parseSeconds(text: string): Milliseconds {
  const seconds = Number(text);
  if (!(seconds >= 0.5 && seconds <= 3_600)) throw new InvalidArgumentError('expected seconds from 0.5 to 3600');
  return milliseconds(seconds * 1_000);
}

async function top({ once, json, every }: Options): Promise<void> {
  if (json && !once) throw new InvalidArgumentError('--json goes with --once');
  if (once) return tellOnce(await look(), json === true);
  const stop = onStopSignal(systemClock, { ignoreTerminal: false, ignoreHangUp: false });
  const { stdout } = process;
  if (stdout.isTTY) stdout.write('\u001b[?1049h\u001b[?25l');
  try {
    while (!stop.aborted) {
      draw(await look(), stdout);
      await systemClock.sleep(every, stop).catch(() => {});
    }
  } finally {
    // The screen that was there before, and its cursor.
    if (stdout.isTTY) stdout.write('\u001b[?25h\u001b[?1049l');
  }
}

function tellOnce(picture: Picture, json: boolean): void {
  const { at, ...parts } = picture;
  if (json) {
    const shown = Object.entries(parts).map(([name, one]) => [
      name,
      one.kind === 'answer' ? one.value : { unavailable: one.why },
    ]);
    process.stdout.write(`${JSON.stringify({ at: new Date(at).toISOString(), ...Object.fromEntries(shown) })}\n`);
  } else
    process.stdout.write(
      `${screen(picture, { ...USUAL, columns: process.stdout.columns ?? USUAL.columns }).join('\n')}\n`,
    );
  if (Object.values(parts).every(({ kind }) => kind === 'silent')) process.exitCode = NOTHING_ANSWERS;
}

/** Line by line over what stands there, and then nothing below: a screen that is emptied first flickers. */
function draw(picture: Picture, stdout: NodeJS.WriteStream): void {
  const lines = screen(picture, { columns: stdout.columns ?? USUAL.columns, rows: stdout.rows ?? USUAL.rows });
  if (!stdout.isTTY) return void stdout.write(`${lines.join('\n')}\n`);
  stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
}

const INCIDENTS_MOST = 100;

/** Each by itself: what does not answer is said in its place, and hides nothing else. */
async function look(): Promise<Picture> {
  const unresolved = async () => {
    const states = ['open', 'acknowledged', 'snoozed'] as const;
    const pages = await Promise.all(
      states.map((state) => askRouter(`/api/v1/incidents?state=${state}&limit=${INCIDENTS_MOST}`, incidentPage)),
    );
    return pages.flatMap(({ items }) => items);
  };
  const [incidents, slos, onCall, pulse] = await Promise.all([
    asked(unresolved()),
    asked(askRouter('/api/v1/slos', z.array(sloShape))),
    asked(askOnCall(undefined)),
    asked(askDocuments('/v1/pulse', pulseShape)),
  ]);
  return { at: systemClock.now(), incidents, slos, onCall, pulse };
}

const asked = async <T>(ask: Promise<T>): Promise<Asked<T>> =>
  await ask.then(
    (value): Asked<T> => ({ kind: 'answer', value }),
    (error: Error): Asked<T> => ({ kind: 'silent', why: error.message }),
  );
