/** Who is here, the way out, and how bright it is. */
import { keep, readKept } from '#console/web/data/kept.ts';
import { here, ownName, setOwnName, signOut } from '#console/web/data/session.ts';
import type { Session } from '#console/web/data/wire.ts';
import { Field } from '#console/web/parts/form.tsx';
import { theme } from '#console/web/parts/media.ts';
import { sayFault } from '#console/web/parts/toasts.tsx';

const THEMES = { auto: 'As the system', light: 'Light', dark: 'Dark' } as const;
type Theme = keyof typeof THEMES;
const KEPT = 'burnline.theme';
choose(readTheme());

export function Account() {
  const known = here.value;
  return (
    <>
      <button type="button" class="small plain" popovertarget="account">
        {known.kind === 'known' ? shortName(known.session) : 'Appearance'}
        <span class="unseen">, account and appearance</span>
      </button>
      <div id="account" popover="auto" class="menu">
        {known.kind === 'known' && <Who session={known.session} />}
        <Field label="Appearance">
          {(ties) => (
            <select
              {...ties}
              value={theme.value}
              onChange={(event) => chooseForGood(event.currentTarget.value as Theme)}
            >
              {Object.entries(THEMES).map(([name, words]) => (
                <option key={name} value={name}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        {known.kind === 'known' && <span class="quiet">Burnline {known.session.version}</span>}
      </div>
    </>
  );
}

const shortName = (session: Session): string =>
  session.anonymous ? ownName.value || 'Who are you?' : session.name || session.subject;

function Who({ session }: { readonly session: Session }) {
  if (session.anonymous) {
    return (
      <Field label="Your name" help="Nobody needs a key on this machine. What you do is written down under this name.">
        {(ties) => (
          <>
            <input
              {...ties}
              value={ownName.value}
              maxLength={200}
              list="people"
              autocomplete="name"
              onInput={(event) => setOwnName(event.currentTarget.value.trim())}
            />
            <datalist id="people">
              {session.people.map(({ name, displayName }) => (
                <option key={name} value={name}>
                  {displayName}
                </option>
              ))}
            </datalist>
          </>
        )}
      </Field>
    );
  }
  return (
    <>
      <span>
        <strong class="foreign">{session.name || session.subject}</strong>
        <br />
        <span class="quiet">{session.roles.join(', ')}</span>
      </span>
      {session.signedIn && (
        <button type="button" onClick={() => void signOut().catch(sayFault)}>
          Sign out
        </button>
      )}
    </>
  );
}

function choose(wanted: Theme): void {
  if (wanted === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = wanted;
  theme.value = wanted;
}

function chooseForGood(wanted: Theme): void {
  choose(wanted);
  keep('localStorage', KEPT, wanted);
}

function readTheme(): Theme {
  const kept = readKept('localStorage', KEPT);
  return kept in THEMES ? (kept as Theme) : 'auto';
}
