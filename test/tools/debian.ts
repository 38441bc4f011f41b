/** Programs from Debian's testing suite, for a machine that has another one. Nothing is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Its versions move. */
export const SUITE = 'forky';

/**
 * Fetched and unpacked with a state of apt of their own: the machine's is neither read nor changed.
 *
 * @param packages those that the suite does not have are left out.
 * @param programs by the name that they get, their name in /usr/bin.
 */
export function unpackDebian(
  draft: string,
  packages: readonly string[],
  programs: Readonly<Record<string, string>>,
): void {
  const state = join(draft, 'apt');
  mkdirSync(join(state, 'lists/partial'), { recursive: true });
  mkdirSync(join(state, 'archives/partial'), { recursive: true });
  const list = join(state, 'sources.list');
  writeFileSync(list, `deb ${mirror()} ${SUITE} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::Cache': state,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run = { cwd: state, stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'], timeout: 300_000 };
  execFileSync('apt-get', ['-qq', ...options, 'update'], run);
  const there = packages.filter((name) => spawnSync('apt-cache', ['-q', ...options, 'show', name]).status === 0);
  execFileSync('apt-get', ['-qq', ...options, 'download', ...there], run);
  for (const file of globSync('*.deb', { cwd: state })) execFileSync('dpkg-deb', ['-x', file, 'root'], run);
  for (const [name, program] of Object.entries(programs)) {
    copyFileSync(join(state, 'root/usr/bin', program), join(draft, name));
  }
  rmSync(state, { recursive: true });
}

/** The mirror from which this machine already gets its packages. */
function mirror(): string {
  const sites = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8', timeout: 30_000 });
  const site = sites.split('\n').find((one) => one !== '' && !one.includes('security'));
  if (site === undefined) throw new Error('apt names no mirror to fetch it from');
  return site;
}
