/**
 * An OpenAPI document as facts: each parameter, each body's and answer's fields with their types. Words that explain are left
 * out, and so is who must show a key, which is the installation's own affair. Pure.
 *
 * Source: OpenAPI 3.1.0 (https://spec.openapis.org/oas/v3.1.0), with schemas of JSON Schema 2020-12.
 */
import { z } from 'zod';
import type { Fact, Facts } from './facts.ts';

const content = z.record(z.string(), z.object({ schema: z.unknown() })).optional();
const operation = z.object({
  parameters: z
    .array(z.object({ in: z.string(), name: z.string(), required: z.boolean().optional(), schema: z.unknown() }))
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content })),
});
const description = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()).default({}) }).default({ schemas: {} }),
});

type Schema = { readonly [key: string]: unknown };
type Schemas = Readonly<Record<string, unknown>>;

const DEPTH_MOST = 8;
/** What narrows a type: told with it, so that a value that was taken and is not any more is seen. */
const NARROWING = ['format', 'enum', 'const', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'default'];

/** @returns undefined when it is no OpenAPI document of this form. */
export function contractFacts(served: unknown): Facts | undefined {
  const read = description.safeParse(served);
  if (!read.success) return undefined;
  const { openapi, paths, components } = read.data;
  const facts: Record<string, Fact> = { 'contract/openapi': openapi };
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, one] of Object.entries(operations)) {
      const name = `contract/${method} ${path}`;
      facts[name] = true;
      for (const { in: place, name: parameter, required = false, schema } of one.parameters) {
        facts[`${name}/${place} ${parameter}`] = `${required ? 'required' : 'optional'} ${typeOf(asSchema(schema))}`;
      }
      addContent(facts, `${name}/body`, one.requestBody?.content, components.schemas);
      for (const [status, answer] of Object.entries(one.responses)) {
        facts[`${name}/${status}`] = true;
        // The same everywhere, and held by the checks that provoke them.
        const isProblem = Object.keys(answer.content ?? {}).join() === 'application/problem+json';
        if (!isProblem) addContent(facts, `${name}/${status}`, answer.content, components.schemas);
      }
    }
  }
  return facts;
}

function addContent(facts: Record<string, Fact>, name: string, found: z.infer<typeof content>, all: Schemas): void {
  for (const [type, { schema }] of Object.entries(found ?? {}))
    addSchema(facts, `${name} ${type}`, schema, all, DEPTH_MOST);
}

function addSchema(facts: Record<string, Fact>, name: string, given: unknown, all: Schemas, depth: number): void {
  const schema = resolved(asSchema(given), all);
  facts[name] = typeOf(schema);
  if (depth === 0) return;
  const required = Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  for (const [key, inner] of Object.entries(asSchema(schema['properties']))) {
    addSchema(facts, `${name}/${key}${required.includes(key) ? '' : '?'}`, inner, all, depth - 1);
  }
  if (schema['items'] !== undefined) addSchema(facts, `${name}/[]`, schema['items'], all, depth - 1);
  for (const one of alternatives(schema)) {
    const inner = resolved(asSchema(one), all);
    if (inner['properties'] !== undefined || inner['items'] !== undefined) {
      addSchema(facts, `${name}|${typeOf(inner)}`, inner, all, depth - 1);
    }
  }
}

const asSchema = (value: unknown): Schema => (typeof value === 'object' && value !== null ? (value as Schema) : {});
const alternatives = (schema: Schema): unknown[] => [schema['anyOf'] ?? schema['oneOf'] ?? []].flat();

function resolved(schema: Schema, all: Schemas): Schema {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? asSchema(all[reference.split('/').at(-1) ?? '']) : schema;
}

function typeOf(schema: Schema): string {
  const own = alternatives(schema).map((one) => typeOf(asSchema(one)));
  const reference = typeof schema['$ref'] === 'string' ? schema['$ref'].split('/').at(-1) : undefined;
  const type = [schema['type'] ?? reference ?? (own.length === 0 ? 'any' : own)].flat().join('|');
  const more = NARROWING.filter((key) => schema[key] !== undefined).map(
    (key) => `${key}=${JSON.stringify(schema[key])}`,
  );
  return [type, ...more].join(' ');
}
