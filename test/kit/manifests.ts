/** Objects of a rendered kustomization, as far as the tests look at them. */
import { spawnSync } from 'node:child_process';

export type Probe = { readonly httpGet?: { readonly path: string; readonly port: string | number } };
export type Container = {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly envFrom?: readonly { readonly configMapRef?: { name: string }; readonly secretRef?: { name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
};
export type Labels = Readonly<Record<string, string>>;
export type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly automountServiceAccountToken?: boolean;
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly serviceAccountName?: string;
        readonly automountServiceAccountToken?: boolean;
        readonly containers: readonly Container[];
      };
    };
    readonly selector?: { readonly matchLabels?: Labels } | Labels;
    readonly ports?: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    readonly triggers?: readonly { readonly metadata: Labels }[];
    readonly endpoints?: readonly { readonly port: string; readonly path: string }[];
    readonly ingress?: readonly { readonly ports?: readonly { readonly port: number }[] }[];
    readonly egress?: readonly { readonly ports?: readonly { readonly port: number }[] }[];
  };
};

export type Rendered = { readonly objects: readonly Manifest[]; readonly faults: string };

/** @param checker the program of `findKubernetes`. */
export function render(checker: string, folder: string): Rendered {
  const { stdout, stderr, error } = spawnSync(checker, [folder], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { objects: (JSON.parse(stdout === '' ? 'null' : stdout) as Manifest[] | null) ?? [], faults: stderr };
}

export const ofKind = (objects: readonly Manifest[], kind: string): Manifest[] =>
  objects.filter((one) => one.kind === kind);

export const podsOf = (objects: readonly Manifest[]): Manifest[] =>
  objects.filter(({ spec }) => spec?.template?.spec.containers !== undefined);

/** What a container finds in its environment; values that a Secret of the cluster has are `given`. */
export function environmentOf(
  objects: readonly Manifest[],
  { env = [], envFrom = [] }: Container,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { configMapRef, secretRef } of envFrom) {
    const map = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === configMapRef?.name);
    const secret = ofKind(objects, 'Secret').find(({ metadata }) => metadata.name === secretRef?.name);
    const decoded = Object.entries(secret?.data ?? {}).map(([name, value]) => [
      name,
      Buffer.from(value, 'base64').toString(),
    ]);
    Object.assign(
      found,
      map?.data,
      secretRef === undefined || secret !== undefined ? {} : given,
      Object.fromEntries(decoded),
    );
  }
  for (const { name, value } of env) found[name] = value ?? given[name] ?? 'of-the-cluster';
  return found;
}
