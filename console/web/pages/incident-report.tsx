/** The report: it writes itself, and people add what only they know. To copy, and to print. */
import { useState } from 'preact/hooks';
import { tellFault } from '#console/web/data/acts.ts';
import { getText, Problem, send } from '#console/web/data/api.ts';
import { dropDraft, keepDraft, readDraft } from '#console/web/data/drafts.ts';
import { reload, useResource } from '#console/web/data/resource.ts';
import { byMe, may } from '#console/web/data/session.ts';
import type { IncidentDetail } from '#console/web/data/wire.ts';
import { Field, Refused } from '#console/web/parts/form.tsx';
import { Markdown } from '#console/web/parts/markdown.tsx';
import { Show } from '#console/web/parts/states.tsx';
import { At } from '#console/web/parts/time.tsx';
import { say } from '#console/web/parts/toasts.tsx';

type Report = { readonly text: string; readonly etag: string | null };
/** What somebody makes of the report as it was when they began. */
type Draft = { readonly start: Report; readonly text: string };

const keyOf = ({ id }: IncidentDetail): string => `incidents/${id}/report`;

export function IncidentReport({ incident }: { readonly incident: IncidentDetail }) {
  const [isOpen, setOpen] = useState(incident.state === 'resolved' || readDraft(keyOf(incident)) !== undefined);
  return (
    <section class="panel report" aria-labelledby="report-title">
      <div class="row apart">
        <h2 id="report-title">Report</h2>
        <button type="button" class="small unprinted" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Close' : 'Read'}
        </button>
      </div>
      {isOpen ? (
        <Opened incident={incident} />
      ) : (
        <p class="quiet">It writes itself from the timeline. What only people know can be added.</p>
      )}
    </section>
  );
}

function Opened({ incident }: { readonly incident: IncidentDetail }) {
  const path = `api/v1/incidents/${encodeURIComponent(incident.id)}/report`;
  const key = keyOf(incident);
  const report = useResource<Report>({
    key,
    load: (signal) => getText(path, signal),
    options: { every: 60_000, on: ['incident'] },
  });
  const [edited, setEdited] = useState(() => readDraft<Draft>(key));
  const write = (draft: Draft) => {
    keepDraft(key, draft);
    setEdited(draft);
  };
  const end = () => {
    dropDraft(key);
    setEdited(undefined);
  };
  return (
    <Show of={report}>
      {(now) =>
        edited === undefined ? (
          <Read report={now} incident={incident} onEdit={() => setEdited({ start: now, text: now.text })} />
        ) : (
          <Edit path={path} draft={edited} now={now} onWrite={write} onEnd={end} resource={key} />
        )
      }
    </Show>
  );
}

type ReadProps = { readonly report: Report; readonly incident: IncidentDetail; readonly onEdit: () => void };
function Read({ report: { text }, incident, onEdit }: ReadProps) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say('The report is copied, as Markdown.');
    } catch {
      say('This browser does not let the page copy: select the text below instead.', 'fault');
    }
  };
  return (
    <>
      <div class="row unprinted">
        <button type="button" class="small" onClick={() => void copy()}>
          Copy as Markdown
        </button>
        <button type="button" class="small" onClick={() => print()}>
          Print
        </button>
        <button type="button" class="small" onClick={() => save(text, `incident-${incident.number}.md`)}>
          Save
        </button>
        {may('incidents:act') && (
          <button type="button" class="small" onClick={onEdit}>
            Edit
          </button>
        )}
      </div>
      {incident.reportEdited !== null && (
        <p class="quiet">
          Last written by <span class="foreign">{incident.reportEdited.by}</span>, <At at={incident.reportEdited.at} />
        </p>
      )}
      <Markdown text={text} />
    </>
  );
}

function save(text: string, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/markdown' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

type EditProps = {
  readonly path: string;
  readonly draft: Draft;
  /** As the router has it: somebody else may have written meanwhile. */
  readonly now: Report;
  readonly onWrite: (draft: Draft) => void;
  readonly onEnd: () => void;
  readonly resource: string;
};
function Edit({ path, draft: { start, text }, now, onWrite, onEnd, resource }: EditProps) {
  const [refused, setRefused] = useState<string>();
  // Who was refused sees what would be lost below, and may then write over that, and over nothing later.
  const { etag } = refused === undefined ? start : now;
  const save = async () => {
    try {
      await send('PUT', path, { markdown: text, ...byMe() }, etag === null ? {} : { 'if-match': etag });
      say('The report is kept.');
      reload(resource, 'incidents');
      onEnd();
    } catch (error) {
      // Somebody else's words must not be written over unseen.
      if (error instanceof Problem && (error.status === 409 || error.status === 412)) {
        setRefused(error.message);
        reload(resource);
      } else tellFault(error);
    }
  };
  return (
    <div class="form">
      <Field label="Report, in Markdown">
        {(ties) => (
          <textarea
            {...ties}
            class="report-text"
            rows={24}
            value={text}
            onInput={(e) => onWrite({ start, text: e.currentTarget.value })}
          />
        )}
      </Field>
      <Refused>{refused}</Refused>
      {refused !== undefined && (
        <details open>
          <summary>As it is now</summary>
          <pre class="foreign">{now.text}</pre>
        </details>
      )}
      <div class="row">
        <button type="button" class="primary" onClick={() => void save()}>
          {refused === undefined ? 'Keep it' : 'Keep mine instead'}
        </button>
        <button type="button" onClick={onEnd}>
          Throw the changes away
        </button>
      </div>
    </div>
  );
}
