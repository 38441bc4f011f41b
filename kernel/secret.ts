/** A value that no log, error, JSON or template can print by accident. `reveal()` is easy to grep for. */
import { inspect } from 'node:util';

const HIDDEN = '[secret]';

export interface Secret {
  reveal(): string;
}

export function secret(value: string): Secret {
  const hidden = () => HIDDEN;
  return Object.freeze({ reveal: () => value, toString: hidden, toJSON: hidden, [inspect.custom]: hidden });
}
