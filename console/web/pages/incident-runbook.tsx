/** What to do, beside what happens: the runbook itself where the router has it, and the ways out. */
import { getText, Problem } from '#console/web/data/api.ts';
import { useResource } from '#console/web/data/resource.ts';
import { Outward } from '#console/web/parts/link.tsx';
import { Markdown } from '#console/web/parts/markdown.tsx';
import { Bones } from '#console/web/parts/states.tsx';
import { runbookOf } from '#console/web/text/words.ts';

type Props = { readonly link: string | null; readonly dashboard: string | null };

const HOUR = 3_600_000;

export function Runbook({ link, dashboard }: Props) {
  const name = runbookOf(link);
  return (
    <section class="panel" aria-labelledby="runbook-title">
      <h2 id="runbook-title">What to do</h2>
      {name === undefined ? <None link={link} /> : <Text key={name} name={name} link={link} />}
      {dashboard !== null && (
        <p>
          <Outward href={dashboard}>Dashboard</Outward>
        </p>
      )}
    </section>
  );
}

function Text({ name, link }: { readonly name: string; readonly link: string | null }) {
  // One that is missing is an answer, not a fault: it need not be asked for again.
  const load = (signal: AbortSignal) =>
    getText(`api/v1/runbooks/${encodeURIComponent(name)}`, signal).then(
      ({ text }) => text,
      (error: unknown) => {
        if (error instanceof Problem && error.status === 404) return undefined;
        throw error;
      },
    );
  const state = useResource<string | undefined>({ key: `runbook/${name}`, load, options: { every: HOUR } }).state.value;
  if (state.kind === 'loading') return <Bones rows={4} height="1.2rem" />;
  if (state.kind === 'failed' || state.value === undefined) return <None link={link} />;
  return <Markdown text={state.value} />;
}

function None({ link }: { readonly link: string | null }) {
  if (link === null) return <p class="quiet">Its alerts name no runbook (annotation runbook_url).</p>;
  return (
    <p>
      <Outward href={link}>Runbook</Outward>
    </p>
  );
}
