/** What is not told to anybody at the moment: made, looked at, changed, ended. */

import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { tellFault } from '#console/web/data/acts.ts';
import { get, send } from '#console/web/data/api.ts';
import { reload, useResource } from '#console/web/data/resource.ts';
import { may } from '#console/web/data/session.ts';
import type { Silence } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { Choice, useFilters } from '#console/web/parts/filters.tsx';
import { hrefOf } from '#console/web/parts/link.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { At, Until } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { say } from '#console/web/parts/toasts.tsx';
import { matchersFromAddress, matcherText } from '#console/web/text/matchers.ts';
import { SilenceForm } from './silence-form.tsx';

const STATES = [
  ['', 'In force and to come'],
  ['expired', 'Ended'],
] as const;

export function SilencesPage() {
  useTitle('Silences');
  const { query, route } = useLocation();
  const [{ state }, set] = useFilters(['state']);
  const [changed, setChanged] = useState<Silence>();
  const silences = useResource<Silence[]>({
    key: 'silences',
    load: (signal) => get('api/v2/silences', {}, signal),
    options: { every: 30_000, on: ['silence'] },
  });
  const given = query['new'];
  const isMaking = given !== undefined || changed !== undefined;
  const end = () => {
    setChanged(undefined);
    if (given !== undefined) route(hrefOf('silences'), true);
  };
  return (
    <div class="stack">
      <div class="row apart">
        <h1>Silences</h1>
        {may('silences:write') && !isMaking && (
          <button type="button" class="primary" onClick={() => route(hrefOf('silences?new='), true)}>
            New silence
          </button>
        )}
      </div>
      {isMaking && may('silences:write') && (
        <SilenceForm
          key={changed?.id ?? given}
          start={changed ?? { matchers: matchersFromAddress(given ?? '') }}
          onEnd={end}
        />
      )}
      <Choice label="State" value={state} options={STATES} onChange={(value) => set('state', value)} />
      <Show of={silences}>
        {(all) => (
          <List
            items={all.filter((one) => (one.status.state === 'expired') === (state === 'expired'))}
            onChange={(silence) => {
              setChanged(silence);
              scrollTo(0, 0);
            }}
          />
        )}
      </Show>
    </div>
  );
}

const TONES = { active: 'unknown', pending: 'info', expired: 'info' } as const;
const WORDS = { active: 'In force', pending: 'To come', expired: 'Ended' } as const;

function List({ items, onChange }: { readonly items: readonly Silence[]; readonly onChange: (one: Silence) => void }) {
  if (items.length === 0) {
    return (
      <div class="panel">
        <Empty big="Nothing is silenced">
          <p>Whatever fires is told.</p>
        </Empty>
      </div>
    );
  }
  return (
    <ul class="cards">
      {items.map((silence) => (
        <li key={silence.id} class={`panel toned ${TONES[silence.status.state]}`}>
          <div class="row">
            <Badge tone={TONES[silence.status.state]}>{WORDS[silence.status.state]}</Badge>
            <span class="quiet">
              {silence.status.state === 'pending' ? (
                <>
                  begins <Until at={silence.startsAt} />
                </>
              ) : (
                <>
                  {silence.status.state === 'active' ? 'ends ' : 'ended '}
                  <Until at={silence.endsAt} />
                </>
              )}
            </span>
          </div>
          <div>
            {silence.matchers.map((matcher) => (
              <bdi key={matcherText(matcher)} class="label">
                {matcherText(matcher).slice(0, 300)}
              </bdi>
            ))}
          </div>
          <p class="foreign">{silence.comment}</p>
          <span class="quiet">
            <span class="foreign">{silence.createdBy}</span>, <At at={silence.startsAt} /> to <At at={silence.endsAt} />
          </span>
          {may('silences:write') && silence.status.state !== 'expired' && (
            <div class="row">
              <button type="button" class="small" onClick={() => onChange(silence)}>
                Change
              </button>
              <ExpireButton silence={silence} />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

function ExpireButton({ silence }: { readonly silence: Silence }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const expire = async () => {
    dialog.current?.close();
    try {
      await send('DELETE', `api/v2/silence/${encodeURIComponent(silence.id)}`);
      say('The silence has ended: what fires is told again.');
    } catch (error) {
      tellFault(error);
    } finally {
      reload('silences', 'alerts');
    }
  };
  const title = `expire-${silence.id}`;
  return (
    <>
      <button type="button" class="small" onClick={() => dialog.current?.showModal()}>
        End it now
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <h2 id={title}>End this silence?</h2>
        <p>What it holds back and still fires is told again at once. It stays on record as ended.</p>
        <div class="row">
          <button type="button" class="primary" onClick={() => void expire()}>
            End it
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
        </div>
      </dialog>
    </>
  );
}
