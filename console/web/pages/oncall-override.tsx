/** Somebody else takes a shift. */
import { useState } from 'preact/hooks';
import { send } from '#console/web/data/api.ts';
import { routerNow } from '#console/web/data/now.ts';
import { reload } from '#console/web/data/resource.ts';
import { here } from '#console/web/data/session.ts';
import { type Faults, Field, Refused, useSubmit } from '#console/web/parts/form.tsx';
import { READER_ZONE } from '#console/web/parts/time.tsx';
import { say } from '#console/web/parts/toasts.tsx';
import { fromLocal, toLocal } from '#console/web/text/calendar.ts';

/** Milliseconds, as they were dragged. */
export type Draft = { readonly from?: number; readonly to?: number };
type Props = { readonly schedule: string; readonly draft: Draft; readonly onEnd: () => void };

const HOUR = 3_600_000;
const LENGTH = 8 * HOUR;

export function OverrideForm({ schedule, draft, onEnd }: Props) {
  const people = here.value.kind === 'known' ? here.value.session.people : [];
  const [person, setPerson] = useState(people[0]?.name ?? '');
  const start = draft.from ?? Math.ceil(routerNow() / HOUR) * HOUR;
  const [from, setFrom] = useState(toLocal(start));
  const [to, setTo] = useState(toLocal(draft.to ?? start + LENGTH));
  const [because, setBecause] = useState('');
  const check = (): Faults => {
    const [begins, ends] = [fromLocal(from), fromLocal(to)];
    return {
      ...(person === '' ? { person: 'Nobody is chosen' } : {}),
      ...(Number.isNaN(begins) ? { from: 'This is no moment' } : {}),
      ...(Number.isNaN(ends) ? { to: 'This is no moment' } : {}),
      ...(begins >= ends ? { to: 'It must end after it begins' } : {}),
    };
  };
  const act = async () => {
    await send('POST', 'api/v1/oncall/overrides', {
      schedule,
      person,
      from: new Date(fromLocal(from)).toISOString(),
      to: new Date(fromLocal(to)).toISOString(),
      ...(because.trim() === '' ? {} : { because: because.trim() }),
    });
    say(`${people.find(({ name }) => name === person)?.displayName ?? person} is on call then.`);
    reload('oncall');
    onEnd();
  };
  const { faults, refused, isSending, submit } = useSubmit(check, act, ['person', 'from', 'to', 'because']);
  return (
    <form class="form override-form" onSubmit={submit} noValidate aria-label={`Override of ${schedule}`}>
      <Field label="Who" wrong={faults['person']}>
        {(ties) => (
          <select {...ties} value={person} onChange={(event) => setPerson(event.currentTarget.value)}>
            {people.map(({ name, displayName }) => (
              <option key={name} value={name}>
                {displayName}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={`From (${READER_ZONE})`} wrong={faults['from']}>
        {(ties) => (
          <input {...ties} type="datetime-local" value={from} onInput={(e) => setFrom(e.currentTarget.value)} />
        )}
      </Field>
      <Field label="To" wrong={faults['to']}>
        {(ties) => <input {...ties} type="datetime-local" value={to} onInput={(e) => setTo(e.currentTarget.value)} />}
      </Field>
      <Field label="Why (if it helps)" wrong={faults['because']}>
        {(ties) => (
          <input {...ties} value={because} maxLength={500} onInput={(e) => setBecause(e.currentTarget.value)} />
        )}
      </Field>
      <Refused>{refused}</Refused>
      <div class="row">
        <button type="submit" class="primary" disabled={isSending}>
          Put on call
        </button>
        <button type="button" onClick={onEnd}>
          Leave it
        </button>
      </div>
    </form>
  );
}
