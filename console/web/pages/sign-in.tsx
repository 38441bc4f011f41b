/** The way in: a key or a token, or a name and a password where the router has users. */
import { useEffect, useState } from 'preact/hooks';
import { signIn } from '#console/web/data/session.ts';
import { focusContent } from '#console/web/parts/focus.ts';
import { type Faults, Field, Refused, useSubmit } from '#console/web/parts/form.tsx';
import { useTitle } from '#console/web/parts/title.ts';

export function SignInPage({ because }: { readonly because: string | undefined }) {
  useTitle('Sign in');
  // A page that became the sign-in by itself is read from its heading on, and why it did; so is what comes after it.
  useEffect(() => {
    if (because !== undefined) focusContent();
    return focusContent;
  }, []);
  const [byPassword, setByPassword] = useState(false);
  const [given, setGiven] = useState({ credential: '', user: '', password: '' });
  const set = (name: keyof typeof given) => (event: { currentTarget: { value: string } }) =>
    setGiven((before) => ({ ...before, [name]: event.currentTarget.value }));
  const check = (): Faults => {
    const wanted = byPassword ? (['user', 'password'] as const) : (['credential'] as const);
    return Object.fromEntries(wanted.filter((name) => given[name].trim() === '').map((name) => [name, 'It is empty']));
  };
  const act = () =>
    signIn(
      byPassword ? { user: given.user.trim(), password: given.password } : { credential: given.credential.trim() },
    );
  const { faults, refused, isSending, submit } = useSubmit(check, act, ['credential', 'user', 'password']);
  return (
    <section class="panel sign-in stack">
      <h1>Sign in</h1>
      {because !== undefined && <p role="status">{because}</p>}
      <form class="form" onSubmit={submit} noValidate>
        {byPassword ? (
          <>
            <Field label="Name" wrong={faults['user']}>
              {(ties) => <input {...ties} value={given.user} onInput={set('user')} autocomplete="username" />}
            </Field>
            <Field label="Password" wrong={faults['password']}>
              {(ties) => (
                <input
                  {...ties}
                  type="password"
                  value={given.password}
                  onInput={set('password')}
                  autocomplete="current-password"
                />
              )}
            </Field>
          </>
        ) : (
          <Field
            label="API key or token"
            help="A key begins with bl_; an operator makes one with npx burnline keys create. It is sent once and not kept in this browser."
            wrong={faults['credential']}
          >
            {(ties) => (
              <input
                {...ties}
                type="password"
                value={given.credential}
                onInput={set('credential')}
                autocomplete="current-password"
              />
            )}
          </Field>
        )}
        <Refused>{refused}</Refused>
        <button type="submit" class="primary" disabled={isSending}>
          {isSending ? 'Signing in' : 'Sign in'}
        </button>
        <button type="button" class="plain" onClick={() => setByPassword(!byPassword)}>
          {byPassword ? 'With a key or token' : 'With a name and a password'}
        </button>
      </form>
    </section>
  );
}
