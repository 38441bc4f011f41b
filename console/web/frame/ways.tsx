/** The ways between pages: along the top of a wide screen, under the thumb on a narrow one. */
import { useLocation } from 'preact-iso';
import { here, may } from '#console/web/data/session.ts';
import { hrefOf, Link } from '#console/web/parts/link.tsx';

type Way = { readonly to: string; readonly name: string };
/** Four fit beside "More" at 360 pixels. */
const FIRST: readonly Way[] = [
  { to: '', name: 'Overview' },
  { to: 'incidents', name: 'Incidents' },
  { to: 'oncall', name: 'On call' },
  { to: 'silences', name: 'Silences' },
];

function restOf(): readonly Way[] {
  const features = here.value.kind === 'known' ? here.value.session.features : undefined;
  return [
    ...(features?.documents ? [{ to: 'documents', name: 'Documents' }] : []),
    { to: 'alerts', name: 'Alerts' },
    { to: 'notifications', name: 'Notifications' },
    ...(may('audit:read') ? [{ to: 'audit', name: 'Audit' }] : []),
    ...(features?.simulators ? [{ to: 'simulators', name: 'Simulators' }] : []),
  ];
}

export function Ways() {
  const rest = restOf();
  return (
    <>
      <nav class="ways" aria-label="Pages">
        {FIRST.map((way) => (
          <One key={way.to} {...way} />
        ))}
        {rest.map((way) => (
          <One key={way.to} {...way} isRest />
        ))}
        <button type="button" class="more" popovertarget="more-pages">
          More
        </button>
      </nav>
      <nav id="more-pages" popover="auto" class="menu pages" aria-label="More pages">
        {rest.map(({ to, name }) => (
          <Link key={to} to={to} class="button" onClick={() => document.getElementById('more-pages')?.hidePopover()}>
            {name}
          </Link>
        ))}
      </nav>
    </>
  );
}

function One({ to, name, isRest = false }: Way & { readonly isRest?: boolean }) {
  const { path } = useLocation();
  // Of the prefix alone, the router's path has no slash at its end.
  const isHere =
    to === '' ? `${path.replace(/\/$/, '')}/` === hrefOf('') : path === hrefOf(to) || path.startsWith(`${hrefOf(to)}/`);
  return (
    <Link to={to} class={isRest ? 'rest' : undefined} aria-current={isHere ? 'page' : undefined}>
      {name}
    </Link>
  );
}
