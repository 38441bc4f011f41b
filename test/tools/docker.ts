/**
 * A Docker engine with compose and buildx, from Debian's packages, unpacked beside each other: nothing is installed, and no
 * firewall rule of the machine is touched. And what the images of the tests stand on: a Debian by debootstrap, as a tar.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '#kernel/errors.ts';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { mirror, SUITE, unpackDebian } from './debian.ts';
import { made } from './find.ts';

/** The suite of the public images: node:24-bookworm-slim. */
export const IMAGE_SUITE = 'bookworm';
const COSTS = 'docker-compose.yml is read, but not tried';

/** The folder of the programs; `cli-plugins` in it has compose and buildx. */
export function findDocker(): Found {
  try {
    const where = made(join(TOOLS_FOLDER, 'docker-debian'), unpack);
    iptablesFolder();
    const version = execFileSync(join(where, 'docker'), ['--version'], { encoding: 'utf8' });
    return { kind: 'found', where, how: `Docker ${/version ([\d.]+)/.exec(version)?.[1]} of Debian ${SUITE}` };
  } catch (error) {
    return { kind: 'missing', why: describe(error).slice(-500), costs: COSTS };
  }
}

function unpack(draft: string): void {
  // The client is a package of its own where the suite has one.
  const packages = ['docker.io', 'docker-cli', 'containerd', 'docker-compose', 'docker-buildx', 'debootstrap'];
  unpackDebian(draft, packages, {
    docker: 'docker',
    dockerd: 'usr/{sbin,bin}/dockerd',
    'docker-proxy': 'usr/{sbin,bin,libexec/docker}/docker-proxy',
    containerd: 'containerd',
    'containerd-shim-runc-v2': 'containerd-shim-runc-v2',
    'cli-plugins/docker-compose': 'usr/{libexec,lib}/docker/cli-plugins/docker-compose',
    'cli-plugins/docker-buildx': 'usr/{libexec,lib}/docker/cli-plugins/docker-buildx',
    'debootstrap/debootstrap': 'usr/sbin/debootstrap',
    'debootstrap/share': 'usr/share/debootstrap',
  });
  // It alone is linked to the machine's own C library.
  unpackDebian(draft, ['runc'], { runc: 'usr/sbin/runc' }, ownSuite());
}

const ownSuite = (): string => /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? SUITE;

const IPTABLES = `#!/bin/sh
here=$(dirname "$0")
XTABLES_LOCKFILE=$here/lock XTABLES_LIBDIR=$here/xtables LD_LIBRARY_PATH=$here exec "$here/multi" "$(basename "$0")" "$@"
`;

/** With it the engine leads names to its resolver, inside each container's own network and nowhere else. */
export function iptablesFolder(): string {
  return made(join(TOOLS_FOLDER, 'iptables-debian'), (draft) => {
    const libraries = ['libxtables.so.12', 'libip4tc.so.2', 'libip6tc.so.2'];
    const paths = Object.fromEntries(libraries.map((name) => [name, `{usr/,}lib/*/${name}`]));
    const files = { multi: 'usr/sbin/xtables-legacy-multi', xtables: 'usr/lib/*/xtables', ...paths };
    unpackDebian(draft, ['iptables', 'libxtables12', 'libip4tc2', 'libip6tc2'], files, ownSuite());
    for (const name of ['iptables', 'ip6tables']) writeFileSync(join(draft, name), IPTABLES, { mode: 0o755 });
  });
}

/** A tar of a minimal Debian with certificates. Needs root. About a minute when nothing is cached. */
export function debianTar(docker: string): string {
  const folder = made(join(TOOLS_FOLDER, `debian-${IMAGE_SUITE}`), (draft) => {
    const [root, scripts] = [join(draft, 'root'), join(docker, 'debootstrap')];
    mkdirSync(root);
    try {
      execFileSync(
        '/bin/sh',
        [
          join(scripts, 'debootstrap'),
          ...['--variant=minbase', '--include=ca-certificates', IMAGE_SUITE, root, mirror()],
        ],
        {
          env: { ...process.env, DEBOOTSTRAP_DIR: join(scripts, 'share') },
          stdio: ['ignore', 'pipe', 'pipe'],
          maxBuffer: 16 * 1024 * 1024,
          timeout: 10 * 60_000,
        },
      );
    } finally {
      unmountUnder(root);
    }
    for (const left of globSync('var/{cache/apt/archives/*.deb,lib/apt/lists/*}', { cwd: root })) {
      rmSync(join(root, left), { recursive: true });
    }
    execFileSync('tar', ['--numeric-owner', '-cf', join(draft, 'root.tar'), '-C', root, '.'], { timeout: 120_000 });
    rmSync(root, { recursive: true });
  });
  return join(folder, 'root.tar');
}

/** Whatever somebody left mounted there, the innermost first. */
export function unmountUnder(folder: string): void {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) execFileSync('umount', ['-l', path]);
}
