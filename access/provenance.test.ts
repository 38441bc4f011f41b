import assert from 'node:assert/strict';
import test from 'node:test';
import { changeCounts, cookieCounts, type Headers, type Provenance, provenance } from './provenance.ts';

const HOSTS = ['router.test:9093', 'burnline.test'];
const origin = (text: string): Headers => ({ origin: text });
const site = (text: string): Headers => ({ 'sec-fetch-site': text });

const CASES: readonly [what: string, headers: Headers, want: Provenance][] = [
  ['a program', {}, 'unsaid'],
  ['our own page', site('same-origin'), 'own'],
  ['our own page behind a proxy that renames us', { ...site('same-origin'), ...origin('https://outside.test') }, 'own'],
  ['our own page over plain http', origin('http://router.test:9093'), 'own'],
  ['our own page under its outer name', origin('https://burnline.test'), 'own'],
  ['a typed address', site('none'), 'typed'],
  ['another port of this machine', site('same-site'), 'foreign'],
  ['another port, in an old browser', origin('http://router.test:3000'), 'foreign'],
  ['the same name on the usual port', origin('http://router.test'), 'foreign'],
  ['another site', site('cross-site'), 'foreign'],
  [
    'another site that lies about its origin',
    { ...site('cross-site'), ...origin('http://router.test:9093') },
    'foreign',
  ],
  ['a sandboxed frame', origin('null'), 'foreign'],
  ['an empty origin', origin(''), 'foreign'],
  ['an origin with our name in its own', origin('http://router.test:9093.evil.test'), 'foreign'],
  ['an origin with our name before an at', origin('http://router.test:9093@evil.test'), 'foreign'],
  ['two origins', { origin: ['http://router.test:9093', 'http://evil.test'] }, 'foreign'],
  ['a file', origin('file://'), 'foreign'],
  ['words that are none of the standard’s', site('same-origin, none'), 'foreign'],
];
for (const [what, headers, want] of CASES) {
  test(`${what} is ${want}`, () => assert.equal(provenance(headers, HOSTS), want));
}

const MARK = { 'x-burnline-console': '1' };
/** GET and POST with the console's header, POST without it. */
const COUNTS: readonly [headers: Headers, get: boolean, marked: boolean, bare: boolean][] = [
  [site('same-origin'), true, true, false],
  [origin('http://router.test:9093'), true, true, false],
  [site('none'), true, false, false],
  [{}, true, false, false],
  [site('same-site'), false, false, false],
  [site('cross-site'), false, false, false],
  [origin('http://router.test:3000'), false, false, false],
];
for (const [headers, get, marked, bare] of COUNTS) {
  test(`a cookie counts with ${JSON.stringify(headers)}: GET ${get}, POST ${marked}, POST without the header ${bare}`, () => {
    assert.equal(cookieCounts('GET', headers, HOSTS), get);
    assert.equal(cookieCounts('HEAD', headers, HOSTS), get);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal(cookieCounts(method, { ...headers, ...MARK }, HOSTS), marked);
      assert.equal(cookieCounts(method, headers, HOSTS), bare);
      assert.equal(cookieCounts(method, { ...headers, 'x-burnline-console': '0' }, HOSTS), false);
    }
  });
}

test('what a browser adds by itself changes nothing from elsewhere; a program may', () => {
  assert.deepEqual(
    [site('same-origin'), {}, site('none'), site('same-site'), site('cross-site')].map((headers) =>
      changeCounts('POST', headers, HOSTS),
    ),
    [true, true, false, false, false],
  );
  assert(changeCounts('GET', site('cross-site'), HOSTS));
});
