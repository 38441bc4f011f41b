/** A file that a setting names. */
import { readFileSync } from 'node:fs';
import { Fault } from '#kernel/errors.ts';

/** @throws {Fault} with this code, which names the file and never quotes it. */
export function readNamedFile(file: string, fault: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
    throw new Fault(fault, `Cannot read ${file}: ${code}`);
  }
}
