/** collector.yaml, distribution.yaml and the sources made from it, held against each other and against attributes.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { ALLOWED_KEYS, ALLOWED_LOG_FIELDS } from './attributes.ts';

const read = (...path: string[]): string => readFileSync(join(import.meta.dirname, ...path), 'utf8');
const TEXT = read('collector.yaml');

type Parts = Record<string, Record<string, unknown>>;
type Pipeline = { receivers: string[]; processors: string[]; exporters: string[] };
type Redaction = { allow_all_keys: boolean; allowed_keys: string[]; blocked_values: string[] };
const file = parse(TEXT, { merge: true }) as {
  receivers: Parts;
  processors: Parts;
  connectors: Parts;
  exporters: Parts;
  extensions: Parts;
  service: { pipelines: Record<string, Pipeline>; extensions: string[] };
};
const KINDS = ['receivers', 'processors', 'connectors', 'exporters', 'extensions'] as const;

/** What a resource says of its process: not of any document. */
const RESOURCE_KEYS = [
  'service.name',
  'service.namespace',
  'service.version',
  'service.instance.id',
  'deployment.environment.name',
  'host.name',
  'telemetry.sdk.language',
  'telemetry.sdk.name',
  'telemetry.sdk.version',
];

test('the keys that pass are those that the roles themselves send, and those of a process', () => {
  const { allow_all_keys: all, allowed_keys: keys } = file.processors['redaction'] as Redaction;
  assert.equal(all, false);
  assert.deepEqual(
    keys.toSorted(),
    [...new Set([...RESOURCE_KEYS, ...ALLOWED_KEYS, ...ALLOWED_LOG_FIELDS])].toSorted(),
  );
});

test('nothing is sent, sampled or counted that was not redacted, and no pipeline is without a limit', () => {
  const { pipelines } = file.service;
  for (const [name, { receivers, processors }] of Object.entries(pipelines)) {
    // What comes from another pipeline was redacted in that.
    const isFed = receivers.every((one) => one.startsWith('forward/'));
    if (isFed) continue;
    assert.equal(processors[0], 'memory_limiter', name);
    assert(
      processors.some((one) => one.startsWith('redaction')),
      name,
    );
  }
  for (const [name, exporter] of Object.entries(file.exporters)) {
    const { sending_queue: queue, retry_on_failure: retry } = exporter as Record<string, Record<string, unknown>>;
    assert.equal(queue?.['storage'], 'file_storage', name);
    assert.equal(retry?.['max_elapsed_time'], 0, name);
  }
});

test('the distribution has exactly the components that are used, and its sources were made from it', () => {
  const manifest = parse(read('distribution.yaml')) as Record<string, { gomod: string }[]>;
  // `otlp_http` is the component of otlphttpexporter, `forward` that of forwardconnector.
  const bare = (gomod: string, kind: string) =>
    (gomod.split(' ')[0]?.split('/').at(-1) ?? '').replace(new RegExp(`(${kind.replace(/s$/, '')})$`), '');
  for (const kind of KINDS) {
    const used = new Set(Object.keys(file[kind]).map((id) => (id.split('/')[0] ?? '').replaceAll('_', '')));
    const built = (manifest[kind] ?? []).map(({ gomod }) => bare(gomod, kind));
    assert.deepEqual(built.toSorted(), [...used].toSorted(), kind);
  }
  const sources = read('../test/tools/otelcol/components.go');
  const modules = read('../test/tools/otelcol/go.mod');
  for (const kind of KINDS) {
    for (const { gomod } of manifest[kind] ?? []) {
      assert(sources.includes(`"${gomod.split(' ')[0]}"`), gomod);
      assert(modules.includes(`\t${gomod}\n`), gomod);
    }
  }
  const imported = [...sources.matchAll(/^\t\w+ "(\S+\/(?:receiver|processor|connector|exporter|extension)\/\S+)"$/gm)];
  const wanted = KINDS.flatMap((kind) => manifest[kind] ?? []).map(({ gomod }) => gomod.split(' ')[0]);
  assert.deepEqual(imported.map(([, path]) => path).toSorted(), wanted.toSorted());
});

test('its head names each variable that it reads, with the default', () => {
  const page = read('../docs/collector.md');
  const found = [...TEXT.matchAll(/\$\{env:(\w+):-([^}]*)\}/g)];
  assert.equal([...TEXT.matchAll(/\$\{env:/g)].length, found.length, 'a variable without a default');
  for (const [, name, usual] of found) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    assert(row?.includes(usual === '' ? 'none' : (usual ?? '')), `${name} (${usual}) in docs/collector.md: ${row}`);
  }
});
