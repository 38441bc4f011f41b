/** The runbooks that ship, for whoever has just been woken: beside what happens, and also where no other page can be reached. */
import { z } from 'zod';
import type { IncidentMessage } from '#alerting/message.ts';
import type { App } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import type { IncidentRoutes } from './v1-incidents.ts';

/** By name, which is that of the alert; read when the router starts, so that no address leads to a file. */
export type Runbooks = ReadonlyMap<string, string>;

export function runbookRoutes(app: App, prefix: string, { runbooks, authorised: may }: IncidentRoutes): void {
  app.get(
    `${prefix}/api/v1/runbooks/:name`,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags: ['incidents'],
        params: z.object({ name: z.string().min(1).max(100) }),
        summary: 'A runbook that ships, in Markdown; by the alert’s name, as links to it end',
        response: {
          200: { description: 'The runbook', content: { 'text/markdown': { schema: z.string() } } },
          ...problems('not_found', 'uri_too_long'),
        },
      },
    },
    async ({ params: { name } }, reply) => {
      const text = runbooks.get(name.replace(/\.md$/, ''));
      if (text === undefined) throw refuse('not_found', `No runbook that ships is called ${name}`);
      return await reply.type('text/markdown; charset=utf-8').serializer(String).send(text);
    },
  );
}

/** The link as it was told; else the runbook that ships for one of the alerts. */
export function runbookOf({ links, alerts }: IncidentMessage, runbooks: Runbooks): string | null {
  if (links.runbook !== undefined) return links.runbook;
  for (const { labels, annotations } of alerts.list) {
    const named = /^docs\/runbooks\/([\w-]+)\.md$/.exec(annotations['runbook_url'] ?? '')?.[1];
    const name = [named, labels['alertname']].find((one) => one !== undefined && runbooks.has(one));
    if (name !== undefined) return `docs/runbooks/${name}.md`;
  }
  return null;
}
