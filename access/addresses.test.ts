import assert from 'node:assert/strict';
import test from 'node:test';
import { isListed, isLoopback, parseAddresses } from './addresses.ts';

const list = parseAddresses(['192.0.2.0/30', '198.51.100.7', ' 2001:db8::/127 ', '::1']);
const cases: readonly [address: string, listed: boolean][] = [
  ['192.0.2.0', true],
  ['192.0.2.3', true],
  ['192.0.2.4', false],
  ['192.0.1.255', false],
  ['198.51.100.7', true],
  ['198.51.100.8', false],
  ['::ffff:198.51.100.7', true],
  ['2001:db8::1', true],
  ['2001:db8::2', false],
  ['::1', true],
  ['fe80::1%eth0', false],
  ['', false],
  ['garbage', false],
  ['192.0.2.1, 1.2.3.4', false],
];
for (const [address, listed] of cases) {
  test(`isListed() finds "${address}" ${listed ? 'inside' : 'outside'}`, () =>
    assert.equal(isListed(list, address), listed));
}

test('an empty list lists nobody', () => assert.equal(isListed([], '127.0.0.1'), false));

for (const entry of ['10', '10.0.0', '10.0.0.0/33', '300.1.1.1', '', 'localhost', '0x7f.1', '::/129']) {
  test(`parseAddresses() refuses "${entry}" and quotes it`, () =>
    assert.throws(() => parseAddresses(['127.0.0.1', entry]), {
      code: 'address_invalid',
      message: new RegExp(`"${entry}"`),
    }));
}

test('parseAddresses() takes 1,000 and not 1,001', () => {
  const many = (count: number) => Array.from({ length: count }, () => '127.0.0.1');
  assert.equal(parseAddresses(many(1000)).length, 1000);
  assert.throws(() => parseAddresses(many(1001)), /the limit is 1000/);
});

test('isLoopback() knows both families and an IPv4 address in an IPv6 socket', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) assert(isLoopback(address), address);
  for (const address of ['128.0.0.1', '::2', '', 'localhost', '0.0.0.0']) assert(!isLoopback(address), address);
});
