/** `npm run dashboards`: writes the dashboards into grafana/dashboards/. The same bytes every time; a test compares them. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dashboardFiles } from './dashboards.ts';

const FOLDER = new URL('dashboards/', import.meta.url);
const files = dashboardFiles();
for (const name of readdirSync(FOLDER)) if (!(name in files)) rmSync(new URL(name, FOLDER));
for (const [name, text] of Object.entries(files)) writeFileSync(new URL(name, FOLDER), text);
