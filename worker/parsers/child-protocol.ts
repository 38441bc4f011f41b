/**
 * What the worker and its parser children say to each other, and how a child is started.
 *
 * A child is a process with two threads: the main one does nothing but watch (memory, the parent's end), the other one
 * parses. So a document that keeps its thread busy for ever cannot keep the child from noticing that it should end.
 */
import { fileURLToPath } from 'node:url';
import { type Bytes, mebibytes } from '#kernel/units.ts';
import type { ParseLimits } from './limits.ts';
import type { LocalParse } from './outcome.ts';
import type { Format } from './sniff.ts';

export type Job = {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly format: Format;
  readonly limits: ParseLimits;
};

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly outcome: LocalParse }
  /** The parser threw, which is a fault of ours: see `parseLocally`. */
  | { readonly kind: 'broken'; readonly id: number; readonly because: string }
  /** Sent right before the child ends itself. */
  | { readonly kind: 'memory'; readonly used: Bytes };

export type ChildSettings = {
  /** Resident memory of the whole child; above it the child ends itself. */
  readonly memory: Bytes;
  /** JavaScript's own share of it, which V8 enforces at once and exactly. */
  readonly heap: Bytes;
};

/** Two V8 instances and the libraries' code: measured 97 MiB after a text, 117 after a PDF and a docx. */
export const CHILD_BASE = mebibytes(128);

export const childSettings = (memory: Bytes): ChildSettings => ({ memory, heap: (memory - CHILD_BASE) as Bytes });

export const CHILD_FILE = fileURLToPath(import.meta.resolve('./child.ts'));

/**
 * A document must not make its parser reach for anything: no file but the program's own may be read, none written, no
 * process started, no text run as code. https://nodejs.org/docs/latest-v24.x/api/permissions.html
 */
export function childArguments(settings: ChildSettings): { execArgv: string[]; args: string[] } {
  const mib = (bytes: Bytes) => Math.floor(bytes / mebibytes(1));
  return {
    execArgv: [
      '--permission',
      '--allow-worker',
      ...readableFolders().map((folder) => `--allow-fs-read=${folder}`),
      '--disallow-code-generation-from-strings',
      `--max-old-space-size=${mib(settings.heap)}`,
      '--no-warnings',
    ],
    args: [JSON.stringify(settings)],
  };
}

/** The program's own folders and the libraries', which may stand above it when it is installed as a package. */
function readableFolders(): string[] {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const library = fileURLToPath(import.meta.resolve('unpdf'));
  const modules = library.slice(0, library.indexOf('/node_modules/') + '/node_modules/'.length);
  return [here('./'), here('../../kernel/'), here('../../package.json'), modules];
}
