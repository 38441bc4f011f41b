/** Replicas behind one name: each address a target of its own, while the name has it. Real servers. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { after } from 'node:test';
import { silentTelemetry } from '#collector/silent.ts';
import { addressesOf, http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { milliseconds } from '#kernel/units.ts';
import { newEngine } from '#slo/engine.ts';
import { viewOf } from '#slo/engine-view.ts';
import { at } from '#test/kit/engine.ts';
import { errorsOf, objective } from '#test/kit/objectives-by-hand.ts';
import { scrapeSource } from './watch-scrape.ts';

const servers: Server[] = [];
after(() => {
  for (const one of servers) one.close();
});

/** Replicas have the same port, and addresses of their own. */
async function replica(address: string, port: number, text: () => string): Promise<number> {
  const server = createServer((_, response) => response.end(text()));
  servers.push(server);
  await new Promise<void>((listening) => server.listen(port, address, listening));
  return (server.address() as AddressInfo).port;
}

test('each address of a name is scraped, what it has no more is gone, and a name without any is missed, not gone', async () => {
  const counts = { first: 10, second: 20 };
  const text = (name: keyof typeof counts) => () =>
    `requests_total{job="app",code="200"} ${counts[name]}\nerrors_total{job="app"} 0\n`;
  const port = await replica('127.0.0.1', 0, text('first'));
  await replica('127.0.0.2', port, text('second'));
  let addresses = async () => ['127.0.0.1', '127.0.0.2'];
  let time = at(0);
  const answers = objective('answers', errorsOf('app'));
  const engine = newEngine([answers], time);
  const source = scrapeSource({
    targets: [{ id: 'app', url: `http://app:${port}/metrics`, each: true }],
    http,
    addresses: () => addresses(),
    now: () => milliseconds(time * 1_000),
    log: silentLog,
    telemetry: silentTelemetry,
    own: async () => '',
  });
  await source.begin(engine);
  const look = async (inSeconds: number) => {
    time = at(inSeconds);
    return Object.fromEntries((await source.look(engine)).answered);
  };
  assert.deepEqual(await look(5), { 'app/127.0.0.1': true, 'app/127.0.0.2': true });
  counts.first += 3;
  counts.second += 4;
  await look(10);
  addresses = async () => ['127.0.0.2'];
  counts.second += 1;
  assert.deepEqual(await look(15), { 'app/127.0.0.2': true });
  assert.deepEqual([...engine.targets.keys()], ['app/127.0.0.2', 'router']);
  // It comes back under the same name: what it showed before is not counted again.
  addresses = async () => ['127.0.0.1', '127.0.0.2'];
  await look(20);
  counts.first += 2;
  await look(25);
  assert.equal(viewOf(engine, answers.id, time)?.total, 10);
  addresses = () => Promise.reject(new Error('nobody says'));
  assert.deepEqual(Object.keys(await look(30)), ['app/127.0.0.1', 'app/127.0.0.2']);
  for (const one of servers) {
    one.closeAllConnections();
    one.close();
  }
  addresses = async () => [];
  assert.deepEqual(await look(35), { 'app/127.0.0.1': false, 'app/127.0.0.2': false });
  const { about } = await source.look(engine);
  assert.equal(about?.get('app/127.0.0.1')?.url, `http://127.0.0.1:${port}/metrics`);
  assert.match(about?.get('app/127.0.0.1')?.because ?? '', /ECONNREFUSED|refused/i);
});

test('addressesOf() says what a name has, or that it has none', async () => {
  assert((await addressesOf('localhost', milliseconds(2_000))).some((one) => one === '127.0.0.1' || one === '[::1]'));
  await assert.rejects(addressesOf('nowhere.invalid', milliseconds(2_000)), /no_address|Cannot find an address/);
});
