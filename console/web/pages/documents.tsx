/** Documents: by id, by correlation ID, by status, the newest first. */

import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { usePaged } from '#console/web/data/paged.ts';
import type { DocumentSummary } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { More, useFilters } from '#console/web/parts/filters.tsx';
import { Field } from '#console/web/parts/form.tsx';
import { hrefOf, Link } from '#console/web/parts/link.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { type Column, Table } from '#console/web/parts/table.tsx';
import { At } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { Wide } from '#console/web/parts/wide.tsx';
import { DOCUMENT_TONES } from '#console/web/text/documents.ts';
import { bytes, dollars } from '#console/web/text/format.ts';
import { STATUSES } from '#worker/document.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function DocumentsPage() {
  useTitle('Documents');
  const [{ status, correlationId }, set] = useFilters(['status', 'correlationId']);
  const query = {
    limit: 50,
    ...(status === '' ? {} : { status }),
    ...(correlationId === '' ? {} : { correlationId }),
  };
  const { first, rest, more } = usePaged<DocumentSummary>('api/v1/documents', query, { every: 5_000 });
  const isFiltered = status !== '' || correlationId !== '';
  return (
    <div class="stack">
      <h1>Documents</h1>
      <div class="filters">
        <Find given={correlationId} onCorrelation={(value) => set('correlationId', value)} />
        <Field label="Status">
          {(ties) => (
            <select {...ties} value={status} onChange={(event) => set('status', event.currentTarget.value)}>
              <option value="">All</option>
              {STATUSES.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Wide class="panel" label="Documents">
        <Show of={first}>{({ items }) => <List items={[...items, ...rest]} isFiltered={isFiltered} />}</Show>
      </Wide>
      <More more={more} />
    </div>
  );
}

/** One field for both: an id leads to its document, everything else is looked for as a correlation ID. */
function Find({ given, onCorrelation }: { readonly given: string; readonly onCorrelation: (value: string) => void }) {
  const [text, setText] = useState(given);
  const { route } = useLocation();
  const find = (event: Event) => {
    event.preventDefault();
    const wanted = text.trim();
    if (UUID.test(wanted)) route(hrefOf(`documents/${wanted.toLowerCase()}`));
    else onCorrelation(wanted);
  };
  return (
    <form onSubmit={find} class="find">
      <Field label="Id or correlation ID">
        {(ties) => (
          <input {...ties} type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        )}
      </Field>
      <button type="submit">Find</button>
    </form>
  );
}

const COLUMNS: readonly Column<DocumentSummary>[] = [
  {
    head: 'Document',
    cell: ({ id, filename }) => (
      <Link to={`documents/${id}`} class="foreign">
        {filename || id}
      </Link>
    ),
  },
  {
    head: 'Status',
    cell: ({ status, error }) => (
      <>
        <Badge tone={DOCUMENT_TONES[status]}>{status}</Badge> <span class="quiet foreign">{error?.code}</span>
      </>
    ),
  },
  { head: 'Uploaded', cell: ({ acceptedAt }) => <At at={acceptedAt} /> },
  { head: 'Size', isNumber: true, cell: (one) => bytes(one.bytes) },
  { head: 'Attempts', isNumber: true, cell: ({ attempts }) => attempts },
  { head: 'Cost', isNumber: true, cell: ({ costUsd }) => dollars(costUsd) },
];

function List({ items, isFiltered }: { readonly items: readonly DocumentSummary[]; readonly isFiltered: boolean }) {
  if (items.length === 0) {
    return (
      <Empty big={isFiltered ? 'No document is found' : 'There is no document yet'}>
        {!isFiltered && (
          <p>
            <code>curl -F file=@README.md http://127.0.0.1:8080/v1/documents</code>
          </p>
        )}
      </Empty>
    );
  }
  return <Table items={items} keyOf={({ id }) => id} columns={COLUMNS} />;
}
