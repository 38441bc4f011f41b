/**
 * The description that the service serves of itself: whole, and true. schemathesis makes requests from it, right ones and
 * wrong ones, and holds every answer against it. TEST_SEED and TEST_EXAMPLES change what it tries.
 */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { call, untilFinished, upload } from '#test/kit/client.ts';
import { POSTGRES_URL } from '#test/kit/database.ts';
import { EXAMPLES, SEED, schemathesis, TOOL } from '#test/kit/openapi.ts';
import { type Service, startService } from '#test/kit/service.ts';
import { type Running, startRole } from '#test/kit/stack.ts';

/** Checks that ask for what this API does not mean to do. */
const NOT_MEANT = [
  // What a schema cannot say (a webhook's URL must be one, a key cannot expire in the past) is a 400 all the same.
  'positive_data_acceptance',
  // An erased document is not gone: its row says that it was erased.
  'use_after_free',
];

type Schema = { readonly [key: string]: unknown };
type Operation = {
  readonly operationId?: string;
  readonly summary?: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
};
type Description = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
};

function* referencesOf(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') yield inner;
    else yield* referencesOf(inner);
  }
}

describe('the served OpenAPI document', () => {
  let service: Service;
  let served: Description;
  const operations: [name: string, path: string, operation: Operation][] = [];
  before(async () => {
    service = await startService({ ...(POSTGRES_URL ? { store: 'Postgres' } : {}) });
    served = (await call<Description>(`${service.api}/openapi.json`)).body;
    for (const [path, methods] of Object.entries(served.paths)) {
      for (const [method, operation] of Object.entries(methods))
        operations.push([`${method} ${path}`, path, operation]);
    }
  });
  after(async () => await service[Symbol.asyncDispose]());

  test('is of version 3.1 and has every route of the contract', () => {
    assert.equal(served.openapi, '3.1.0');
    const contract = [
      ...['get /healthz', 'get /readyz', 'get /metrics', 'get /openapi.json'],
      ...['post /v1/documents', 'get /v1/documents', 'get /v1/documents/{id}', 'delete /v1/documents/{id}'],
      ...['get /v1/documents/{id}/chunks', 'post /v1/documents/{id}/retry', 'post /v1/search', 'get /v1/pulse'],
      ...['post /v1/keys', 'get /v1/keys', 'delete /v1/keys/{id}'],
    ];
    assert.deepEqual(operations.map(([name]) => name).sort(), contract.sort());
  });

  test('names each operation once, and says what it does and what each answer means', () => {
    const ids = operations.map(([, , { operationId }]) => operationId);
    assert.equal(new Set(ids).size, ids.length, ids.join());
    for (const [name, path, operation] of operations) {
      assert(operation.summary, name);
      for (const [status, response] of Object.entries(operation.responses)) {
        assert(response.description && response.description !== 'Default Response', `${name} ${status}`);
        const isProblem = Number(status) >= 400 && path !== '/readyz';
        if (isProblem) assert.deepEqual(Object.keys(response.content ?? {}), ['application/problem+json'], name);
      }
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => `{${one.name}}`);
      assert.deepEqual(declared, path.match(/\{\w+\}/g) ?? []);
    }
  });

  test('refers only to what is there, and holds nothing that nobody refers to', () => {
    const references = new Set(referencesOf(served));
    const there = Object.keys(served.components.schemas).map((name) => `#/components/schemas/${name}`);
    for (const reference of references) assert(there.includes(reference), reference);
    // A schema that another one has taken in is not referred to.
    const unused = there.filter((name) => !references.has(name)).map((name) => name.split('/').at(-1));
    assert.deepEqual(unused, []);
  });

  const why =
    TOOL === undefined
      ? 'schemathesis is not here: nobody holds the answers against the document'
      : !POSTGRES_URL && 'it needs a Postgres: beside a worker, made-up webhooks would be called';
  test('is true: schemathesis finds no 5xx and no answer that it does not describe', { skip: why }, async (t) => {
    await upload(service.api, 'A completed document, to be read, searched and tried again.', 'a.txt');
    const empty = await upload(service.api, '', 'empty.txt');
    await untilFinished(service.api, empty.body.id);
    await service.running.stop();
    // The API alone: without a worker nothing is posted to the webhooks that are made up.
    await using api: Running = await startRole('api', {
      ...service.env,
      RATE_PER_SECOND: '1000000',
      RATE_BURST: '1000000',
    });
    t.diagnostic(`seed ${SEED}, ${EXAMPLES} examples for each operation`);
    const { code, output } = await schemathesis(api.urls['api'] ?? '', NOT_MEANT);
    const errors = api
      .output()
      .split('\n')
      .filter((line) => line.includes('"level":"error"'));
    assert.deepEqual(errors, []);
    assert.equal(code, 0, `seed ${SEED}:\n${output.slice(-12_000)}`);
    t.diagnostic(/\d+ generated/.exec(output)?.[0] ?? output.slice(-200));
    assert.equal((await call(`${api.urls['api']}/readyz`)).status, 200);
  });
});
