/** One document: where it is, how long each step took, what it cost, and why it is where it is. */

import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import { tellFault } from '#console/web/data/acts.ts';
import { send } from '#console/web/data/api.ts';
import { now } from '#console/web/data/now.ts';
import { reload } from '#console/web/data/resource.ts';
import { here, may } from '#console/web/data/session.ts';
import { useDocument } from '#console/web/data/things.ts';
import type { DocumentDetail } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { Link, Outward } from '#console/web/parts/link.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { type Column, Table } from '#console/web/parts/table.tsx';
import { Ago, At } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { say } from '#console/web/parts/toasts.tsx';
import { Wide } from '#console/web/parts/wide.tsx';
import { DOCUMENT_TONES, stagesOf } from '#console/web/text/documents.ts';
import { bytes, count, dollars, took } from '#console/web/text/format.ts';
import { isUnfinished } from '#worker/document.ts';

export function DocumentPage() {
  const { params } = useRoute();
  const id = params['id'] ?? '';
  return <OneDocument key={id} id={id} />;
}

function OneDocument({ id }: { readonly id: string }) {
  useTitle('Document');
  const document = useDocument(id);
  const state = document.state.value;
  if (state.kind === 'failed' && (state.problem.status === 404 || state.problem.status === 400)) {
    return (
      <Empty isPage big="There is no such document">
        <p>
          {state.problem.message} <Link to="documents">All documents</Link>
        </p>
      </Empty>
    );
  }
  return <Show of={document}>{(whole) => <Whole document={whole} />}</Show>;
}

function Whole({ document }: { readonly document: DocumentDetail }) {
  const { filename, status, error, acceptedAt } = document;
  return (
    <div class="stack">
      <section class={`panel toned ${DOCUMENT_TONES[status]}`} aria-live="polite" aria-label="State">
        <div class="row">
          <Badge tone={DOCUMENT_TONES[status]}>{status}</Badge>
          <span class="quiet">
            uploaded <Ago at={acceptedAt} />
          </span>
        </div>
        <h1 class="foreign">{filename || document.id}</h1>
        {error !== null && (
          <p class="foreign">
            <strong>{error.code}</strong>: {error.message}
          </p>
        )}
        <Retry document={document} />
      </section>
      <div class="two">
        <div class="stack">
          <section class="panel" aria-labelledby="way-title">
            <h2 id="way-title">Its way</h2>
            <Stages document={document} />
          </section>
          <section class="panel" aria-labelledby="calls-title">
            <h2 id="calls-title">Calls to vendors</h2>
            <Calls document={document} />
          </section>
        </div>
        <section class="panel" aria-labelledby="facts-title">
          <h2 id="facts-title">Facts</h2>
          <Facts document={document} />
        </section>
      </div>
    </div>
  );
}

function Stages({ document }: { readonly document: DocumentDetail }) {
  // Read once a second only while something still moves.
  const stages = stagesOf(document, isUnfinished(document.status) ? now.value : now.peek());
  const longest = Math.max(1, ...stages.map(({ length }) => length));
  return (
    <ol class="timeline stages">
      {stages.map(({ status, from, length, isNow, attempt, because }, i) => (
        <li key={`${from}${i}`}>
          <span class="quiet">
            <At at={from} seconds />
          </span>
          <span>
            <strong>{status}</strong> {attempt > 1 && <Badge tone="warning">{`attempt ${attempt}`}</Badge>}{' '}
            {length > 0 && <span class="quiet">{`${took(length / 1_000)}${isNow ? ' until now' : ''}`}</span>}
            <span class="length" style={{ inlineSize: `${(length / longest) * 100}%` }} />
            {because !== '' && <span class="quiet foreign">{because}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

const CALL_TONES = { started: 'info', completed: 'ok', failed: 'critical', interrupted: 'warning' } as const;

type Call = DocumentDetail['calls'][number];
const CALL_COLUMNS: readonly Column<Call>[] = [
  { head: 'At', cell: ({ startedAt }) => <At at={startedAt} seconds /> },
  {
    head: 'Vendor',
    cell: ({ vendor, operation }) => (
      <>
        {vendor} <span class="quiet">{operation}</span>
      </>
    ),
  },
  {
    head: 'Outcome',
    cell: ({ outcome, httpStatus, wasted }) => (
      <>
        <Badge tone={CALL_TONES[outcome]}>{outcome}</Badge>{' '}
        <span class="quiet">
          {httpStatus !== null && `HTTP ${httpStatus}`}
          {wasted && ' wasted'}
        </span>
      </>
    ),
  },
  {
    head: 'Took',
    isNumber: true,
    cell: ({ startedAt, endedAt }) =>
      endedAt === null ? 'not ended' : took((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000),
  },
  { head: 'Cost', isNumber: true, cell: ({ costUsd }) => dollars(costUsd) },
];

function Calls({ document: { calls } }: { readonly document: DocumentDetail }) {
  if (calls.length === 0)
    return <p class="quiet">None was made for it: it was found in the cache, or is not so far yet.</p>;
  return (
    <Wide label="Calls to vendors">
      <Table items={calls} keyOf={({ startedAt }, i) => `${startedAt}${i}`} columns={CALL_COLUMNS} />
    </Wide>
  );
}

function Facts({ document }: { readonly document: DocumentDetail }) {
  const { finishedAt, acceptedAt, traceId } = document;
  const template = here.value.kind === 'known' ? here.value.session.links.traces : null;
  return (
    <dl class="loose">
      <dt>Id</dt>
      <dd>
        <code>{document.id}</code>
      </dd>
      <dt>Type</dt>
      <dd>
        {document.contentType}, {bytes(document.bytes)}
      </dd>
      <dt>Took</dt>
      <dd>
        {finishedAt === null ? 'is not at its end' : took((Date.parse(finishedAt) - Date.parse(acceptedAt)) / 1_000)}
      </dd>
      <dt>Attempts</dt>
      <dd>{document.attempts}</dd>
      <dt>Pages</dt>
      <dd>{document.pages === null ? 'not known yet' : count(document.pages)}</dd>
      <dt>Chunks</dt>
      <dd>{document.chunks === null ? 'not known yet' : count(document.chunks)}</dd>
      <dt>Tokens</dt>
      <dd>{document.tokens === null ? 'not known yet' : count(document.tokens)}</dd>
      <dt>Cost</dt>
      <dd>{dollars(document.costUsd)}</dd>
      <dt>Correlation ID</dt>
      <dd>
        <Link to={`documents?correlationId=${encodeURIComponent(document.correlationId)}`} class="foreign">
          {document.correlationId}
        </Link>
      </dd>
      <dt>Trace</dt>
      <dd>
        {traceId === null ? (
          'none'
        ) : template === null ? (
          <code>{traceId}</code>
        ) : (
          <Outward href={template.replace('{traceId}', traceId)}>{traceId}</Outward>
        )}
      </dd>
    </dl>
  );
}

function Retry({ document: { id, status } }: { readonly document: DocumentDetail }) {
  const [isSending, setSending] = useState(false);
  if (status !== 'failed' || !may('incidents:act')) return null;
  const retry = async () => {
    setSending(true);
    try {
      await send('POST', `api/v1/documents/${id}/retry`);
      say('It is tried again, from the step at which it failed.');
    } catch (error) {
      tellFault(error);
    } finally {
      setSending(false);
      reload('documents/', 'api/v1/documents');
    }
  };
  return (
    <button type="button" class="primary" disabled={isSending} onClick={() => void retry()}>
      Try it again
    </button>
  );
}
