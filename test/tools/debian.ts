/** Programs from a suite of Debian, by default its testing one, for a machine that has another. Nothing is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Its versions move. */
export const SUITE = 'forky';

/**
 * Fetched and unpacked with a state of apt of their own: the machine's is neither read nor changed.
 *
 * @param packages those that the suite does not have are left out.
 * @param programs by the name that they get, their name in /usr/bin, or a pattern of their path from /; folders too.
 */
export function unpackDebian(
  draft: string,
  packages: readonly string[],
  programs: Readonly<Record<string, string>>,
  suite: string = SUITE,
): void {
  const state = join(draft, 'apt');
  mkdirSync(join(state, 'lists/partial'), { recursive: true });
  mkdirSync(join(state, 'archives/partial'), { recursive: true });
  const list = join(state, 'sources.list');
  writeFileSync(list, `deb ${mirror()} ${suite} main\n`);
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
    const pattern = program.includes('/') ? program : join('usr/bin', program);
    const [found] = globSync(pattern, { cwd: join(state, 'root') });
    if (found === undefined) throw new Error(`${packages.join(', ')} of ${suite} have no /${pattern}`);
    mkdirSync(dirname(join(draft, name)), { recursive: true });
    // Node's own copy leaves links inside of folders that lead back to what is removed below.
    execFileSync('cp', ['-rL', join(state, 'root', found), join(draft, name)], run);
  }
  rmSync(state, { recursive: true });
}

/**
 * Packages of this machine's own suite, with all that they need and the machine has not, into `root` below the draft. What
 * is made so runs on this machine, and on those that have what it has.
 */
export function unpackMissing(draft: string, packages: readonly string[]): void {
  const state = join(draft, 'apt');
  mkdirSync(join(state, 'lists/partial'), { recursive: true });
  mkdirSync(join(state, 'archives/partial'), { recursive: true });
  const settings = { 'Dir::State::Lists': join(state, 'lists'), 'Dir::Cache': state, 'APT::Sandbox::User': 'root' };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run = { cwd: draft, stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'], timeout: 300_000 };
  execFileSync('apt-get', ['-qq', ...options, 'update'], run);
  const wanted = ['-y', '--no-install-recommends', '--download-only', ...packages];
  execFileSync('apt-get', ['-qq', ...options, 'install', ...wanted], run);
  for (const file of globSync('archives/*.deb', { cwd: state })) {
    execFileSync('dpkg-deb', ['-x', join(state, file), 'root'], run);
  }
  rmSync(state, { recursive: true });
}

/** The mirror from which this machine already gets its packages. */
export function mirror(): string {
  const sites = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8', timeout: 30_000 });
  const site = sites.split('\n').find((one) => one !== '' && !one.includes('security'));
  if (site === undefined) throw new Error('apt names no mirror to fetch it from');
  return site;
}
