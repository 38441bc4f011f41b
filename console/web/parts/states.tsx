/** What a part of a page looks like before, without, and after its data: each of them is meant, none is an accident. */
import type { ComponentChildren } from 'preact';
import type { Loaded, Resource } from '#console/web/data/resource.ts';
import { Ago } from './time.tsx';

export function Bones({ rows = 3, height = '2.5rem' }: { readonly rows?: number; readonly height?: string }) {
  return (
    <div class="stack" aria-busy="true">
      <span class="unseen">Loading</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} class="bones" style={{ height }} />
      ))}
    </div>
  );
}

type EmptyProps = {
  readonly big: string;
  /** It is all there is on the page. */
  readonly isPage?: boolean;
  readonly children?: ComponentChildren;
};

export function Empty({ big, isPage = false, children }: EmptyProps) {
  return (
    <div class="empty">
      {isPage ? <h1 class="big">{big}</h1> : <p class="big">{big}</p>}
      {children}
    </div>
  );
}

export function Failed({
  problem,
  again,
}: {
  readonly problem: { readonly message: string };
  readonly again?: () => void;
}) {
  return (
    <div class="empty" role="alert">
      <p class="fault">
        <strong>This could not be loaded.</strong> {problem.message}
      </p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

type Shown<T> = {
  readonly of: Resource<T>;
  readonly children: (value: T) => ComponentChildren;
  readonly bones?: ComponentChildren;
};

/** A part of a page in all its states. */
export function Show<T>({ of, children, bones }: Shown<T>) {
  const state: Loaded<T> = of.state.value;
  switch (state.kind) {
    case 'loading':
      return bones ?? <Bones />;
    case 'failed':
      return <Failed problem={state.problem} again={of.reload} />;
    case 'ready':
      return (
        <>
          {state.problem && (
            <p class="old" role="status">
              As it was <Ago at={state.at} />. {state.problem.message}
            </p>
          )}
          {children(state.value)}
        </>
      );
    default:
      return state satisfies never;
  }
}
