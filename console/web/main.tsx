/** The page begins: who is here is asked while the frame is drawn. */
import { render } from 'preact';
import './style/base.css';
import './style/frame.css';
import './style/parts.css';
import './style/pages.css';
import './style/calendar.css';
import './style/incident.css';
import { App } from './app.tsx';
import { BASE } from './data/api.ts';
import { whoIsHere } from './data/session.ts';
import { warmOverview } from './data/things.ts';
import { comeFromElsewhere } from './text/old-links.ts';

const old = comeFromElsewhere(location.hash);
if (old !== undefined) history.replaceState(null, '', `${BASE}${old}`);

// An address of its own for who is asked to sign in; the way in is wherever nobody is known.
if (location.pathname === `${BASE}sign-in`) history.replaceState(null, '', BASE);

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
void whoIsHere();
if (location.pathname === BASE) warmOverview();
