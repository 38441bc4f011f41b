/**
 * The checker of the manifests: kustomize, the types of Kubernetes, of the Prometheus Operator and of KEDA, and the Pod
 * Security Standards, from their own Go modules, in one small program beside this file.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '#kernel/errors.ts';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { made } from './find.ts';
import { go } from './go-module.ts';

const SOURCES = join(import.meta.dirname, 'kubernetes');
const PROGRAM = 'burnline-kubernetes';

/** `BURNLINE_TOOL_KUBERNETES` names one that is built already. */
export function findKubernetes(): Found {
  const named = process.env['BURNLINE_TOOL_KUBERNETES'];
  if (named !== undefined) return { kind: 'found', where: named, how: 'named' };
  try {
    const hash = createHash('sha256');
    for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(SOURCES, file)));
    const folder = made(join(TOOLS_FOLDER, `kubernetes-${hash.digest('hex').slice(0, 12)}`), build);
    const version = /k8s\.io\/api v0\.(\S+)/.exec(readFileSync(join(SOURCES, 'go.mod'), 'utf8'))?.[1];
    return { kind: 'found', where: join(folder, PROGRAM), how: `types of Kubernetes 1.${version}` };
  } catch (error) {
    const costs = 'the manifests for Kubernetes are not held against its types';
    return { kind: 'missing', why: describe(error).slice(-500), costs };
  }
}

/** About two minutes on two cores when nothing is cached. */
function build(draft: string): void {
  go(
    'the checker of Kubernetes manifests',
    ['build', '-trimpath', '-mod=readonly', '-ldflags', '-s -w', '-o', join(draft, PROGRAM), '.'],
    {
      cwd: SOURCES,
      env: { CGO_ENABLED: '0' },
    },
  );
}
