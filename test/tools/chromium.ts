/**
 * Chromium, in which the page is seen and pressed as people do. A named one or one on PATH, if it is new enough; else
 * Debian's, with the libraries that it needs and this machine has not, unpacked into the cache. Nothing is installed.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { unpackMissing } from './debian.ts';
import { checkBuilt, findProgram, made } from './find.ts';

/** `light-dark()` and popovers. */
const OLDEST = [130, 0] as const;

/** Debian's own starter reads files in /etc; the libraries beside it are found by this one. */
const START = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/root
libs="$here/usr/lib/$(uname -m)-linux-gnu"
export LD_LIBRARY_PATH="$libs:$libs/pulseaudio:$here/usr/lib/chromium"
exec "$here/usr/lib/chromium/chromium" "$@"
`;

/** `BURNLINE_TOOL_CHROMIUM` names one. */
export function findChromium(): Found {
  const unpacked = () => {
    const folder = made(join(TOOLS_FOLDER, 'chromium-debian'), unpack);
    checkBuilt(folder, 'chromium', OLDEST, 'Debian');
    return folder;
  };
  return findProgram({
    program: 'chromium',
    oldest: OLDEST,
    costs: 'the console is not tried in a browser',
    ways: [unpacked],
  });
}

function unpack(draft: string): void {
  unpackMissing(draft, ['chromium', 'fonts-dejavu-core']);
  writeFileSync(join(draft, 'chromium'), START);
  chmodSync(join(draft, 'chromium'), 0o755);
}
