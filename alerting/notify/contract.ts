/**
 * What every channel has to hold, whatever it speaks: a kit for its tests. A new channel describes its other side and how
 * that fails, and passes.
 *
 * Source of the idea: prometheus/alertmanager notify/test/test.go.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Integration } from '#alerting/config/config.ts';
import type { Notify } from '#alerting/delivery.ts';
import type { Circumstances, IncidentMessage, ToldAlert } from '#alerting/message.ts';
import type { Fields, Log } from '#kernel/log.ts';
import { milliseconds } from '#kernel/units.ts';
import type { Outcome } from './outcome.ts';

/** One way in which the other side can end an attempt. */
export type Way = {
  readonly title: string;
  readonly expected: Outcome['kind'];
  /** Milliseconds of patience that a `retry` asks for; undefined: none. */
  readonly after?: number;
  /** Milliseconds after which a side that never answers is given up. */
  readonly patience?: number;
  /** Sets the other side up so, and says how to reach it. */
  readonly to: () => Integration | Promise<Integration>;
};
export type Subject = {
  readonly name: string;
  /** The other side in good health. */
  readonly well: () => Integration | Promise<Integration>;
  /** What it took, oldest first, as it came. */
  readonly took: () => Promise<readonly string[]>;
  /** By what it knows that it had this before. */
  readonly keyOf: (taken: string) => string | undefined;
  /** Bytes of one message that it takes. */
  readonly most: number;
  /** None of them may be in an outcome or a log. */
  readonly secrets: readonly string[];
  readonly ways: readonly Way[];
};
export type Given = {
  readonly notifyBy: (log: Log) => Notify;
  readonly message: IncidentMessage;
  readonly circumstances: Circumstances;
};

/** Far more than a local server needs, on a busy machine too. */
const LIMIT = 20_000;

export function contract(subject: Subject, given: Given): void {
  const { name, secrets, took, keyOf } = subject;
  const attempt = async (to: Integration, message = given.message, signal = AbortSignal.timeout(LIMIT)) => {
    const lines: string[] = [];
    const outcome = await given.notifyBy(recorder(lines))(to, message, given.circumstances, signal);
    return { outcome, printed: `${JSON.stringify(outcome)}\n${lines.join('\n')}` };
  };

  for (const { title, expected, after, patience = LIMIT, to } of subject.ways) {
    test(`${name}: ${title} is ${expected}, and no secret is told`, async () => {
      const { outcome, printed } = await attempt(await to(), given.message, AbortSignal.timeout(patience));
      assert.equal(outcome.kind, expected, printed);
      if (outcome.kind === 'retry') assert.equal(outcome.after, after, printed);
      for (const secret of secrets) assert(!printed.includes(secret), printed);
    });
  }

  test(`${name}: what is called off before it begins is not sent`, async () => {
    const to = await subject.well();
    const before = (await took()).length;
    const { outcome } = await attempt(to, given.message, AbortSignal.abort(new Error('the router stops')));
    assert.equal(outcome.kind, 'retry');
    assert.equal((await took()).length, before);
  });

  test(`${name}: a repeat has the key of the first`, async () => {
    const to = await subject.well();
    for (let i = 0; i < 2; i++) assert.equal((await attempt(to)).outcome.kind, 'delivered');
    const [first, second] = (await took()).slice(-2).map(keyOf);
    assert.equal(second, first);
  });

  for (const [title, text] of MONSTERS) {
    test(`${name}: 20 alerts with 64 KB of ${title} are taken`, async () => {
      const to = await subject.well();
      const { outcome, printed } = await attempt(to, monstrous(given.message, text));
      assert.equal(outcome.kind, 'delivered', printed);
      const [taken = ''] = (await took()).slice(-1);
      assert(Buffer.byteLength(taken) <= subject.most, `${Buffer.byteLength(taken)} bytes`);
    });
  }
}

const MONSTERS: readonly (readonly [title: string, text: string])[] = [
  ['letters', 'x'],
  ['ampersands', '&'],
  ['quotes', '"'],
  ['line breaks', '\r\n'],
  ['mentions', '<!channel> '],
  ['emoji', '🔥'],
  ['halves of emoji', '\ud83d'],
  ['control characters', '\u0000\u001b'],
];
const LONG = 65_536;

function monstrous(message: IncidentMessage, text: string): IncidentMessage {
  const long = text.repeat(LONG / text.length);
  const list = Array.from({ length: 20 }, (_, i): ToldAlert => {
    const labels = { alertname: long, severity: 'critical', instance: `host-${i}`, [long.slice(0, 1_000)]: long };
    const annotations = { summary: long, description: long, burn_rate: long, budget_left: long };
    const [startsAt, fingerprint] = [milliseconds(8.64e15 + 1), i.toString(16).padStart(16, '0')];
    return { status: 'firing', fingerprint, labels, annotations, startsAt, endsAt: undefined, generatorUrl: long };
  });
  return {
    ...message,
    incident: { ...message.incident, title: long, service: long, objective: long },
    paged: Array.from({ length: 1_000 }, () => long.slice(0, 100)),
    alerts: { firing: 10_000, resolved: 0, list },
  };
}

/** Keeps what a log would print. */
function recorder(lines: string[]): Log {
  const write = (fields: Fields, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
  return log;
}
