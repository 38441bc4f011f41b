/**
 * Loaded into every process of a stack before its own code (`NODE_OPTIONS=--import`): the wall clock of the roles that
 * `CHAOS_CLOCK_ROLES` names goes wrong by as many milliseconds as stand in the file `CHAOS_CLOCK_FILE`. Steady time and
 * timers stay, as on a machine whose clock is set. The database's own clock is another machine's, and stays too.
 */
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { CHAOS_CLOCK_FILE: file, CHAOS_CLOCK_ROLES: roles = '' } = process.env;
const LOOK_EVERY = 200;

if (file !== undefined && isMainThread && process.argv.some((word) => roles.split(',').includes(word))) {
  const Real = Date;
  const now = Date.now.bind(Date);
  let step = 0;
  setInterval(() => {
    try {
      step = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      step = 0;
    }
  }, LOOK_EVERY).unref();
  const Stepped = new Proxy(Real, {
    construct: (target, args: [], self) => Reflect.construct(target, args.length === 0 ? [now() + step] : args, self),
    get: (target, name) => (name === 'now' ? () => now() + step : Reflect.get(target, name)),
  });
  globalThis.Date = Stepped;
}
