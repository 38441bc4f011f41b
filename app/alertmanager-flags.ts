/**
 * Alertmanager's command line, as far as it is not ours already: a unit file or a container that started Alertmanager
 * starts the router unchanged. What has no meaning here is accepted and dropped: several routers share a Postgres, not a
 * gossip. Pure.
 *
 * Source: `alertmanager --help` of 0.34.
 */

/** Ours under other names. */
const RENAMED: Readonly<Record<string, string>> = { '--log.level': '--log-level', '--log.format': '--log-format' };
const VALUES: Readonly<Record<string, string>> = { logfmt: 'json' };
/** With a value each, where they are not `--name=value`. */
const DROPPED =
  /^--(?:cluster\.[\w.-]+|data\.[\w.-]+|alerts\.[\w.-]+|web\.(?:timeout|get-concurrency)|silences\.[\w.-]+|dispatch\.[\w.-]+|auto-gomemlimit\.ratio)$/;
/** Without a value. */
const SWITCHES =
  /^--(?:web\.systemd-socket|auto-gomemlimit|no-auto-gomemlimit|cluster\.allow-insecure-public-advertise-address-discovery)$/;

/** @param argv as Node has it: program, script, command, flags. */
export function translated(argv: readonly string[]): string[] {
  const [program = '', script = '', command = '', ...flags] = argv;
  if (command !== 'router') return [...argv];
  const kept: string[] = [];
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] ?? '';
    const at = flag.indexOf('=');
    const name = at < 0 ? flag : flag.slice(0, at);
    if (SWITCHES.test(name)) continue;
    if (DROPPED.test(name)) {
      // `--cluster.listen-address ""` is how clustering is switched off: the value is a word of its own.
      if (at < 0 && !(flags[i + 1] ?? '--').startsWith('--')) i++;
      continue;
    }
    const renamed = RENAMED[name];
    if (renamed === undefined) kept.push(flag);
    else {
      const value = at < 0 ? (flags[++i] ?? '') : flag.slice(at + 1);
      kept.push(renamed, VALUES[value] ?? value);
    }
  }
  return [program, script, command, ...kept];
}
