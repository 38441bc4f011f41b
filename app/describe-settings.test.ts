import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { readConfig } from './config.ts';
import { defaultOf, GROUPS, groupOf, SETTINGS_FILES } from './describe-settings.ts';
import { SETTING_NAMES, type SettingName, setting } from './settings.ts';
import { COMPOSE_VARIABLES } from './settings-compose.ts';

for (const [file, make] of SETTINGS_FILES) {
  test(`${file} is what the table of settings makes: otherwise run "node app/describe-settings.ts"`, () => {
    assert.equal(readFileSync(file, 'utf8'), make());
  });
}

test('every setting belongs to one group, and every group has some', () => {
  for (const name of SETTING_NAMES) {
    assert(groupOf(name), `${name} is in no group`);
    assert.equal(GROUPS.filter(({ names }) => names.test(name)).length, 1, `${name} is in several`);
  }
  for (const { title, names } of GROUPS)
    assert(
      SETTING_NAMES.some((name) => names.test(name)),
      title,
    );
});

test('every setting says in words what it means, and no two have one flag', () => {
  const flags = SETTING_NAMES.flatMap((name) => setting(name).flag ?? []);
  assert.equal(new Set(flags).size, flags.length);
  for (const name of SETTING_NAMES) {
    assert(setting(name).help.length >= 10, name);
    assert(setting(name).roles.length > 0, name);
  }
});

/** `NAME=value` and, commented out, `#NAME=value`. */
function lines(): Map<string, { value: string; active: boolean }> {
  const text = readFileSync('env.production.example', 'utf8');
  const found = [...text.matchAll(/^(#?)([A-Z][A-Z0-9_]+)=(.*)$/gm)];
  const all = found.map(([, comment, name = '', value = '']) => [name, { value, active: comment === '' }] as const);
  assert.equal(new Map(all).size, all.length, 'no setting stands there twice');
  return new Map(all);
}

test('env.production.example has every setting, what docker-compose.yml reads besides, and nothing else', () => {
  const all = [...SETTING_NAMES, ...Object.keys(COMPOSE_VARIABLES)];
  assert.deepEqual([...lines().keys()].sort(), all.sort());
});

test('env.production.example shows the default of what it leaves alone', () => {
  for (const [name, { value, active }] of lines()) {
    const compose = COMPOSE_VARIABLES[name];
    const usual = compose === undefined ? defaultOf(name as SettingName) : compose.default;
    if (!active) assert.equal(value, usual ?? '', name);
  }
});

test('env.production.example starts api and worker as soon as what is empty in it is filled in', () => {
  const given = Object.fromEntries(
    [...lines()].filter(([, { active }]) => active).map(([name, { value }]) => [name, value]),
  );
  const empty = Object.keys(given).filter((name) => given[name] === '' && !(name in COMPOSE_VARIABLES));
  const asked = new Set(
    (['api', 'worker'] as const).flatMap((role) => {
      const outcome = readConfig(role, {}, given);
      return outcome.kind === 'faults' ? outcome.faults.map((fault) => fault.setting) : [];
    }),
  );
  assert.deepEqual([...asked].sort(), empty.sort());
  const filled = { ...given, DATABASE_URL: 'postgres://u:p@db/b', LLAMA_CLOUD_API_KEY: 'a', OPENAI_API_KEY: 'b' };
  for (const role of ['api', 'worker'] as const) {
    const outcome = readConfig(role, {}, { ...filled, WEBHOOK_SECRET: 'sixteen-letters-long' });
    assert.equal(outcome.kind, 'config', JSON.stringify(outcome));
  }
});
