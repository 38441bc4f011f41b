/** Who is here, and what they may do. The router decides; the page only leaves out what would be refused. */
import { signal } from '@preact/signals';
import type { Action } from '#access/roles.ts';
import { asProblem, get, type Problem, send, whenUnknown } from './api.ts';
import { dropDrafts } from './drafts.ts';
import { keep, readKept } from './kept.ts';
import { setClock } from './now.ts';
import { forget } from './resource.ts';
import { closeStream, onEvent, openStream } from './stream.ts';
import type { Session } from './wire.ts';

export type Here =
  | { readonly kind: 'asking' }
  | { readonly kind: 'known'; readonly session: Session }
  | { readonly kind: 'unknown'; readonly because: string | undefined }
  | { readonly kind: 'failed'; readonly problem: Problem };
export const here = signal<Here>({ kind: 'asking' });

export async function whoIsHere(): Promise<void> {
  try {
    enter(await get<Session>('api/v1/session'));
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status === 401) here.value = { kind: 'unknown', because: undefined };
    else here.value = { kind: 'failed', problem };
  }
}

export type Credential = { readonly credential: string } | { readonly user: string; readonly password: string };

/** @throws {Problem} with the router's words */
export async function signIn(credential: Credential): Promise<void> {
  forget();
  enter(await send<Session>('POST', 'api/v1/session', credential));
}

export async function signOut(): Promise<void> {
  await send('DELETE', 'api/v1/session');
  dropDrafts();
  leave('You are signed out.');
}

// Its time was over, its key was revoked, or another window signed out. While somebody is still signing in, a 401 is an
// answer to that, and its own place shows it.
whenUnknown(() => {
  if (here.value.kind === 'known') leave('You were signed out: the session has ended.');
});

function leave(because: string): void {
  closeStream();
  forget();
  here.value = { kind: 'unknown', because };
}

export function may(action: Action): boolean {
  return here.value.kind === 'known' && here.value.session.may.includes(action);
}

function enter(session: Session): void {
  setClock(Date.parse(session.now));
  here.value = { kind: 'known', session };
  openStream(() => void get('api/v1/session').catch(() => {}));
}

const NAME = 'burnline.name';

/** Where nobody is known by a key, as on a laptop, a person says who they are: the timeline shall not say "anonymous". */
export const ownName = signal(readKept('localStorage', NAME));

export function setOwnName(name: string): void {
  ownName.value = name;
  keep('localStorage', NAME, name);
}

/** What the router says of who is here may have changed while it was away: people, roles, or who signed in elsewhere. */
onEvent((name) => {
  if (name !== 'back' || here.value.kind !== 'known') return;
  get<Session>('api/v1/session').then(
    (session) => {
      if (here.value.kind === 'known') here.value = { kind: 'known', session };
    },
    // A 401 has led to the sign-in already; whatever else it is, the next coming back asks again.
    () => {},
  );
});

/** As whom an answer of mine is written down. */
export function myName(): string | undefined {
  if (here.value.kind !== 'known') return undefined;
  return byMe().by ?? here.value.session.subject;
}

/** `by` of an answer: whoever the key names, which the router knows by itself. */
export function byMe(): { readonly by?: string } {
  const anonymous = here.value.kind === 'known' && here.value.session.anonymous;
  return anonymous && ownName.value !== '' ? { by: ownName.value } : {};
}
