/** A silence: what it matches, for how long, why; and, before it is made, what it would mute now. */
import { useEffect, useState } from 'preact/hooks';
import { Problem, send } from '#console/web/data/api.ts';
import { routerNow } from '#console/web/data/now.ts';
import { reload } from '#console/web/data/resource.ts';
import { myName } from '#console/web/data/session.ts';
import type { Matcher, Silence, SilencePreview } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { type Faults, Field, Refused, useSubmit } from '#console/web/parts/form.tsx';
import { Link } from '#console/web/parts/link.tsx';
import { say } from '#console/web/parts/toasts.tsx';
import { plural, span } from '#console/web/text/format.ts';
import { matcherFault, matcherOf, OPERATORS, type Operator, operatorOf } from '#console/web/text/matchers.ts';

type Start = Pick<Silence, 'matchers'> & Partial<Silence>;
type Props = { readonly start: Start; readonly onEnd: () => void };

const LENGTHS = [
  { hours: 1, words: '1 hour' },
  { hours: 2, words: '2 hours' },
  { hours: 8, words: '8 hours' },
  { hours: 24, words: '1 day' },
  { hours: 168, words: '1 week' },
] as const;
const HOUR = 3_600_000;
/** Whoever mends the words of a silence must not end it sooner by the way. */
const AS_IT_IS = 0;

export function SilenceForm({ start, onEnd }: Props) {
  const [matchers, setMatchers] = useState<readonly Matcher[]>(
    start.matchers.length > 0 ? start.matchers : [matcherOf('alertname', '=', '')],
  );
  const [hours, setHours] = useState(start.endsAt === undefined ? 2 : AS_IT_IS);
  const [comment, setComment] = useState(start.comment ?? '');
  const check = (): Faults => ({
    ...Object.fromEntries(matchers.flatMap((one, i) => faultAt(one, i))),
    ...(comment.trim() === '' ? { comment: 'Say why, for whoever wonders tonight that nothing is told' } : {}),
  });
  const act = async () => {
    const now = routerNow();
    await send('POST', 'api/v2/silences', {
      ...(start.id === undefined ? {} : { id: start.id }),
      matchers,
      // One that is in force begins when it began: with another start the router would end it and make a second one.
      startsAt: start.startsAt ?? new Date(now).toISOString(),
      endsAt:
        hours === AS_IT_IS && start.endsAt !== undefined ? start.endsAt : new Date(now + hours * HOUR).toISOString(),
      createdBy: myName() ?? 'console',
      comment: comment.trim(),
    });
    say(start.id === undefined ? 'It is silenced.' : 'The silence is changed.');
    reload('silences', 'alerts', 'incidents');
    onEnd();
  };
  const { faults, refused, isSending, submit } = useSubmit(check, act, ['comment', 'endsAt']);
  return (
    <form class="panel form" onSubmit={submit} noValidate aria-labelledby="silence-title">
      <h2 id="silence-title">{start.id === undefined ? 'New silence' : 'Change the silence'}</h2>
      <Matchers matchers={matchers} faults={faults} onChange={setMatchers} />
      <Field label="For" wrong={faults['endsAt']}>
        {(ties) => (
          <select {...ties} value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
            {start.endsAt !== undefined && (
              <option value={AS_IT_IS}>{span(Date.parse(start.endsAt) - routerNow())} from now, as it is</option>
            )}
            {LENGTHS.map((one) => (
              <option key={one.hours} value={one.hours}>
                {one.words} from now
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Why" wrong={faults['comment']}>
        {(ties) => (
          <input {...ties} value={comment} maxLength={10_000} onInput={(e) => setComment(e.currentTarget.value)} />
        )}
      </Field>
      <Preview matchers={matchers} />
      <Refused>{refused}</Refused>
      <div class="row">
        <button type="submit" class="primary" disabled={isSending}>
          {start.id === undefined ? 'Silence it' : 'Change it'}
        </button>
        <button type="button" onClick={onEnd}>
          Leave it
        </button>
      </div>
    </form>
  );
}

function faultAt(matcher: Matcher, i: number): [string, string][] {
  const fault = matcherFault(matcher);
  return fault === undefined ? [] : [[`matcher${i}`, fault]];
}

type MatchersProps = {
  readonly matchers: readonly Matcher[];
  readonly faults: Faults;
  readonly onChange: (matchers: readonly Matcher[]) => void;
};

function Matchers({ matchers, faults, onChange }: MatchersProps) {
  const set = (i: number, changed: Matcher) => onChange(matchers.with(i, changed));
  return (
    <fieldset class="form">
      <legend>Alerts with all of these labels</legend>
      {matchers.map((matcher, i) => (
        <div key={i} class="matcher">
          <Field label="Label" wrong={faults[`matcher${i}`]}>
            {(ties) => (
              <input
                {...ties}
                value={matcher.name}
                onInput={(e) => set(i, { ...matcher, name: e.currentTarget.value })}
              />
            )}
          </Field>
          <Field label="Is">
            {(ties) => (
              <select
                {...ties}
                value={operatorOf(matcher)}
                onChange={(e) => set(i, matcherOf(matcher.name, e.currentTarget.value as Operator, matcher.value))}
              >
                {OPERATORS.map((operator) => (
                  <option key={operator}>{operator}</option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Value">
            {(ties) => (
              <input
                {...ties}
                value={matcher.value}
                onInput={(e) => set(i, { ...matcher, value: e.currentTarget.value })}
              />
            )}
          </Field>
          {matchers.length > 1 && (
            <button
              type="button"
              class="small"
              aria-label={`Remove the label ${matcher.name}`}
              onClick={() => onChange(matchers.toSpliced(i, 1))}
            >
              Remove
            </button>
          )}
        </div>
      ))}
      <div>
        <button type="button" class="small" onClick={() => onChange([...matchers, matcherOf('', '=', '')])}>
          Another label
        </button>
      </div>
    </fieldset>
  );
}

const SETTLE = 300;

/** By the same functions that mute. A critical alert that would go unheard is said in red. */
function Preview({ matchers }: { readonly matchers: readonly Matcher[] }) {
  const [shown, setShown] = useState<SilencePreview | string>();
  const text = JSON.stringify(matchers);
  useEffect(() => {
    // Still being written: the router would refuse what matches everything.
    const isEmpty = matchers.every(({ value }) => value === '');
    if (isEmpty || matchers.some((one) => matcherFault(one) !== undefined)) return setShown(undefined);
    // Numbers of other matchers would be believed.
    setShown(undefined);
    let isOld = false;
    const timer = setTimeout(async () => {
      const found = await send<SilencePreview>('POST', 'api/v1/silences/preview', { matchers }).catch(
        (error: unknown) => (error instanceof Problem ? error.message : String(error)),
      );
      if (!isOld) setShown(found);
    }, SETTLE);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [text]);
  return (
    <div role="status" aria-live="polite" class="preview">
      {typeof shown === 'string' && <p class="fault">{shown}</p>}
      {typeof shown === 'object' && <Muted preview={shown} />}
    </div>
  );
}

function Muted({ preview: { alerts, critical, warning, incidents, list } }: { readonly preview: SilencePreview }) {
  if (alerts === 0) return <p class="quiet">It would mute nothing that fires now.</p>;
  return (
    <>
      <p>
        It would mute <strong>{plural(alerts, 'alert')}</strong> now
        {critical > 0 && (
          <>
            , <Badge tone="critical">{`${critical} critical`}</Badge>
          </>
        )}
        {warning > 0 && `, ${warning} warning`}.
      </p>
      {incidents.map(({ id, number, title }) => (
        <p key={id}>
          In{' '}
          <Link to={`incidents/${id}`} class="foreign">
            #{number} {title}
          </Link>
        </p>
      ))}
      <ul>
        {list.slice(0, 5).map(({ labels }, i) => (
          <li key={i} class="foreign one-line">
            {Object.entries(labels)
              .map(([name, value]) => `${name}=${value}`)
              .join('  ')
              .slice(0, 300)}
          </li>
        ))}
        {alerts > 5 && <li>and {plural(alerts - 5, 'more', 'more')}</li>}
      </ul>
    </>
  );
}
