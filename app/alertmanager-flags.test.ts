import assert from 'node:assert/strict';
import test from 'node:test';
import { translated } from './alertmanager-flags.ts';

const of = (...flags: string[]): string[] => translated(['node', 'main.ts', 'router', ...flags]).slice(3);

test('translated() takes a command line of Alertmanager for one of the router', () => {
  assert.deepEqual(
    of(
      '--config.file=/etc/alertmanager.yml',
      '--cluster.listen-address=',
      '--cluster.peer',
      'other:9094',
      '--log.level=debug',
      '--log.format',
      'logfmt',
      '--data.retention=120h',
      '--web.systemd-socket',
      '--web.listen-address',
      ':9093',
    ),
    [
      '--config.file=/etc/alertmanager.yml',
      '--log-level',
      'debug',
      '--log-format',
      'json',
      '--web.listen-address',
      ':9093',
    ],
  );
  assert.deepEqual(of('--cluster.listen-address', '', '--storage.path=x'), ['--storage.path=x']);
});

test('translated() leaves what it does not know, and other commands, alone', () => {
  assert.deepEqual(of('--web.external-url=http://x', '--nonsense'), ['--web.external-url=http://x', '--nonsense']);
  assert.deepEqual(translated(['node', 'main.ts', 'api', '--cluster.x=1']).slice(3), ['--cluster.x=1']);
});
