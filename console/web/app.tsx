/** The frame around every page, and which page stands at which address. */

import { useEffect, useState } from 'preact/hooks';
import { ErrorBoundary, LocationProvider, lazy, Route, Router, useLocation } from 'preact-iso';
import { here, whoIsHere } from './data/session.ts';
import { stream } from './data/stream.ts';
import { useOpenIncidents } from './data/things.ts';
import { Account } from './frame/account.tsx';
import { Ways } from './frame/ways.tsx';
import { IncidentPage } from './pages/incident.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { focusContent } from './parts/focus.ts';
import { hrefOf, Link } from './parts/link.tsx';
import { Failed } from './parts/states.tsx';
import { Ago } from './parts/time.tsx';
import { waiting } from './parts/title.ts';
import { Toasts } from './parts/toasts.tsx';

// The two that somebody who was just woken needs come with the page; the rest come when they are gone to.
const IncidentsPage = lazy(() => import('./pages/incidents.tsx').then((page) => page.IncidentsPage));
const ObjectivePage = lazy(() => import('./pages/objective.tsx').then((page) => page.ObjectivePage));
const DocumentsPage = lazy(() => import('./pages/documents.tsx').then((page) => page.DocumentsPage));
const DocumentPage = lazy(() => import('./pages/document.tsx').then((page) => page.DocumentPage));
const AlertsPage = lazy(() => import('./pages/alerts.tsx').then((page) => page.AlertsPage));
const SilencesPage = lazy(() => import('./pages/silences.tsx').then((page) => page.SilencesPage));
const OnCallPage = lazy(() => import('./pages/oncall.tsx').then((page) => page.OnCallPage));
const NotificationsPage = lazy(() => import('./pages/notifications.tsx').then((page) => page.NotificationsPage));
const SimulatorsPage = lazy(() => import('./pages/simulators.tsx').then((page) => page.SimulatorsPage));
const AuditPage = lazy(() => import('./pages/audit.tsx').then((page) => page.AuditPage));

export function App() {
  return (
    <LocationProvider>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to the content; a <base> turns where a fragment alone leads */}
      <a class="skip button" href="#main" onClick={skip}>
        To the content
      </a>
      <div class="frame">
        <header class="bar">
          <Link class="brand" to="">
            <img src={hrefOf('icon.svg')} alt="" />
            Burnline
          </Link>
          {here.value.kind === 'known' && <Ways />}
          <span class="end">
            {here.value.kind === 'known' && <Alive />}
            {here.value.kind === 'known' && <Waiting />}
            <Account />
          </span>
        </header>
        <div>
          <StaleBand />
          <main id="main" tabIndex={-1}>
            <Content />
          </main>
        </div>
      </div>
      <Toasts />
    </LocationProvider>
  );
}

function Content() {
  const known = here.value;
  switch (known.kind) {
    case 'asking':
      return <p class="unseen">Loading</p>;
    case 'failed':
      return <Failed problem={known.problem} again={() => void whoIsHere()} />;
    case 'unknown':
      return <SignInPage because={known.because} />;
    case 'known':
      return <Pages />;
    default:
      return known satisfies never;
  }
}

function Pages() {
  const [fault, setFault] = useState<Error>();
  const { path } = useLocation();
  // A fault of one page must not hold the next.
  useEffect(() => setFault(undefined), [path]);
  if (fault !== undefined) return <Failed problem={fault} again={() => location.reload()} />;
  return (
    <ErrorBoundary onError={setFault}>
      <Router onRouteChange={focusContent}>
        <Route path={hrefOf('')} component={OverviewPage} />
        <Route path={hrefOf('incidents')} component={IncidentsPage} />
        <Route path={hrefOf('incidents/:id')} component={IncidentPage} />
        <Route path={hrefOf('objectives/:id*')} component={ObjectivePage} />
        <Route path={hrefOf('documents')} component={DocumentsPage} />
        <Route path={hrefOf('documents/:id')} component={DocumentPage} />
        <Route path={hrefOf('alerts')} component={AlertsPage} />
        <Route path={hrefOf('silences')} component={SilencesPage} />
        <Route path={hrefOf('oncall')} component={OnCallPage} />
        <Route path={hrefOf('notifications')} component={NotificationsPage} />
        <Route path={hrefOf('simulators')} component={SimulatorsPage} />
        <Route path={hrefOf('audit')} component={AuditPage} />
        <Route default component={Nowhere} />
      </Router>
    </ErrorBoundary>
  );
}

/** By itself the link would lead to the overview: with a <base>, `#main` is a place of that page. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Nowhere() {
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        <Link to="">To the overview</Link>
      </p>
    </div>
  );
}

/** Nothing of its own to see: how many wait for an answer stands in the tab's name, on whichever page one is. */
function Waiting() {
  const state = useOpenIncidents().state.value;
  const many = state.kind === 'ready' ? state.value.items.filter((one) => one.state === 'open').length : 0;
  useEffect(() => {
    waiting.value = many;
    return () => {
      waiting.value = 0;
    };
  }, [many]);
  return null;
}

function Alive() {
  const state = stream.value;
  if (state.kind === 'live') return <span class="alive live">Live</span>;
  if (state.kind === 'connecting') return <span class="alive">Connecting</span>;
  return <span class="alive stale">Stale</span>;
}

/** What is shown may be old, which somebody at 03:00 must not overlook. */
function StaleBand() {
  const state = stream.value;
  return (
    <div role="status" aria-live="polite">
      {here.value.kind === 'known' && state.kind === 'stale' && (
        <div class="stale-band">
          The router has not been heard for <Ago at={state.since} after="" />: what you see may be old. It is tried
          again by itself.
        </div>
      )}
    </div>
  );
}
