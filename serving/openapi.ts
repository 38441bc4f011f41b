/** The API's own description: made from the schemas that validate, with what they cannot say added here. */
import type { SwaggerOptions } from '@fastify/swagger';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Described } from './app.ts';

type Response = { description: string; headers?: Record<string, object>; content?: Record<string, object> };
type Parameter = { in: string; name: string; [key: string]: unknown };
type Operation = { parameters?: Parameter[]; responses: Record<string, Response>; operationId?: string };
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; [key: string]: unknown };
};

const text = { type: 'string' };
const CORRELATION = {
  in: 'header',
  name: 'X-Correlation-ID',
  required: false,
  description:
    'Goes into every log line, span and row of this request: up to 128 letters, digits and . _ : -. Otherwise one is made',
  schema: text,
} satisfies Parameter;
const RETRY_AFTER = { description: 'Seconds after which trying again can help', schema: { type: 'integer' } };
const ASK_AGAIN = {
  description: 'While it is unfinished and much is waiting: seconds until it is worth asking again',
  schema: { type: 'integer' },
};
const LOCATION = { description: 'Where the document is', schema: text };
const REPLAYED = { description: '"true" when the Idempotency-Key was used before', schema: text };
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Made',
  202: 'Taken: it is durable',
  204: 'Done; there is nothing to say',
  503: 'Not ready',
};
/** Node knows headers in small letters; people do not write them so. */
const HEADER_NAMES: Readonly<Record<string, string>> = {
  'idempotency-key': 'Idempotency-Key',
  'cache-control': 'Cache-Control',
};

/** @param keyNeeded false where somebody without a key is let in, as on loopback. */
export function openApi({ title, description, version }: Described, keyNeeded: boolean): SwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title,
        description,
        version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key (bl_…) or a JWT',
          },
        },
      },
      security: keyNeeded ? [{ key: [] }] : [{ key: [] }, {}],
    },
    transform: createJsonSchemaTransform({ skipList: [] }) as never,
    transformObject: ((source: never) => finish(jsonSchemaTransformObject(source) as unknown as Document)) as never,
  };
}

function finish(document: Document): Document {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) finishOperation(path, method, operation);
  }
  const { schemas } = document.components;
  // Every schema is listed a second time for requests; no request refers to one.
  const used = Object.entries(schemas).filter(([name]) => !name.endsWith('Input'));
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(used) } };
}

function finishOperation(path: string, method: string, operation: Operation): void {
  operation.operationId ??= operationId(path, method);
  const parameters = (operation.parameters ?? []).map((one) => ({ ...one, name: HEADER_NAMES[one.name] ?? one.name }));
  operation.parameters = [...parameters, CORRELATION];
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response.description === 'Default Response') response.description = DESCRIPTIONS[status] ?? 'Done';
    response.headers = {
      'X-Correlation-ID': { description: 'The one taken or made', schema: text },
      ...(status === '202' ? { Location: LOCATION } : {}),
      ...(status === '202' && path === '/v1/documents' ? { 'Idempotent-Replayed': REPLAYED } : {}),
      ...(status === '200' && path === '/v1/documents/{id}' ? { 'Retry-After': ASK_AGAIN } : {}),
      ...(status === '429' || status === '503' ? { 'Retry-After': RETRY_AFTER } : {}),
    };
  }
}

/** get /v1/documents/{id}/chunks → getDocumentsChunks, with `ById` where it ends in one. */
function operationId(path: string, method: string): string {
  const words = path.replace(/^\/v1/, '').split('/').filter(Boolean);
  const named = words.map((word, i) => {
    if (!word.startsWith('{')) return capital(word.replace(/\W.*/, ''));
    return i === words.length - 1 ? 'ById' : '';
  });
  return method + named.join('');
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
