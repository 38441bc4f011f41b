/** Who is on call, when, in the reader's own time; where nobody is; and overrides, dragged or written. */
import { useState } from 'preact/hooks';
import { now } from '#console/web/data/now.ts';
import { may } from '#console/web/data/session.ts';
import { useCalendar, useOnCall } from '#console/web/data/things.ts';
import type { Calendar } from '#console/web/data/wire.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { isNarrow } from '#console/web/parts/media.ts';
import { Bones, Empty, Show } from '#console/web/parts/states.tsx';
import { At, READER_ZONE, Until } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { daysFrom, type Range } from '#console/web/text/calendar.ts';
import { plural, span } from '#console/web/text/format.ts';
import { CalendarChart } from './oncall-calendar.tsx';
import { type Draft, OverrideForm } from './oncall-override.tsx';
import { Overrides } from './oncall-overrides.tsx';

const [DAYS, DAYS_NARROW] = [14, 7];

export function OnCallPage() {
  useTitle('On call');
  const [ahead, setAhead] = useState(0);
  const days = isNarrow.value ? DAYS_NARROW : DAYS;
  // By the day: it must not be another range each second.
  const range = daysFrom(now.peek(), ahead, days);
  return (
    <div class="stack">
      <h1>On call</h1>
      <Now />
      <div class="row">
        <button type="button" class="small" onClick={() => setAhead(ahead - days)}>
          Before
        </button>
        <button type="button" class="small" onClick={() => setAhead(0)} disabled={ahead === 0}>
          From today
        </button>
        <button type="button" class="small" onClick={() => setAhead(ahead + days)}>
          After
        </button>
        <span class="quiet">Times are yours: {READER_ZONE}</span>
      </div>
      <Calendars key={`${range.from}/${range.to}`} range={range} />
    </div>
  );
}

function Now() {
  const oncall = useOnCall();
  return (
    <Show of={oncall} bones={<Bones rows={1} />}>
      {(all) => (
        <div class="tiles">
          {all.map(({ schedule, onDuty, until, next }) => (
            <section key={schedule} class="panel" aria-label={`${schedule} now`}>
              <h2>{schedule}</h2>
              <p class="big foreign">
                {onDuty.length === 0 ? (
                  <Badge tone="warning">Nobody</Badge>
                ) : (
                  onDuty.map((one) => one.displayName).join(', ')
                )}
              </p>
              <p class="quiet">
                {until === null ? (
                  'for good'
                ) : (
                  <>
                    until <At at={until} /> (<Until at={until} />
                    ), then <span class="foreign">{next.map((one) => one.displayName).join(', ') || 'nobody'}</span>
                  </>
                )}
              </p>
            </section>
          ))}
        </div>
      )}
    </Show>
  );
}

function Calendars({ range }: { readonly range: Range }) {
  const calendars = useCalendar(range.from, range.to);
  return (
    <Show of={calendars} bones={<Bones rows={2} height="9rem" />}>
      {(all) =>
        all.length === 0 ? (
          <div class="panel">
            <Empty big="No schedule is declared">
              <p>
                Schedules, people and policies stand in <code>oncall.yaml</code>.
              </p>
            </Empty>
          </div>
        ) : (
          all.map((one) => <OneCalendar key={one.schedule} calendar={one} range={range} />)
        )
      }
    </Show>
  );
}

function OneCalendar({ calendar, range }: { readonly calendar: Calendar; readonly range: Range }) {
  const [draft, setDraft] = useState<Draft>();
  const mayChange = may('incidents:act');
  const title = `calendar-${calendar.schedule}`;
  return (
    <section class="panel stack" aria-labelledby={title}>
      <div class="row apart">
        <h2 id={title}>
          {calendar.schedule}{' '}
          {calendar.timeZone !== READER_ZONE && <span class="quiet">changes by the clock of {calendar.timeZone}</span>}
        </h2>
        {mayChange && draft === undefined && (
          <button type="button" class="small" onClick={() => setDraft({})}>
            Add an override
          </button>
        )}
      </div>
      {draft !== undefined && (
        <OverrideForm
          key={`${draft.from}/${draft.to}`}
          schedule={calendar.schedule}
          draft={draft}
          onEnd={() => setDraft(undefined)}
        />
      )}
      <CalendarChart
        calendar={calendar}
        range={range}
        onDrag={mayChange ? (from, to) => setDraft({ from, to }) : undefined}
      />
      <Gaps calendar={calendar} />
      <Overrides calendar={calendar} mayChange={mayChange} />
      <Shifts calendar={calendar} />
    </section>
  );
}

function Gaps({ calendar: { gaps } }: { readonly calendar: Calendar }) {
  if (gaps.length === 0) return <p class="quiet">Somebody is on call all the time shown.</p>;
  return (
    <div>
      <h3>
        <Badge tone="warning">{plural(gaps.length, 'gap')}</Badge> Nobody is on call
      </h3>
      <ul>
        {gaps.slice(0, 10).map(({ from, to }) => (
          <li key={from}>
            <At at={from} /> to <At at={to} />, {span(Date.parse(to) - Date.parse(from))}
          </li>
        ))}
      </ul>
      {gaps.length > 10 && <p class="quiet">and {gaps.length - 10} more</p>}
    </div>
  );
}

/** The picture in words: for a screen reader, and for whoever would copy it. */
function Shifts({ calendar: { shifts } }: { readonly calendar: Calendar }) {
  return (
    <details>
      <summary>All shifts in words</summary>
      <ul>
        {shifts.map(({ from, to, displayName, override, fromFile }) => (
          <li key={`${from}${displayName}`}>
            <span class="foreign">{displayName}</span>: <At at={from} /> to <At at={to} />
            {(override !== null || fromFile) && ' (override)'}
          </li>
        ))}
      </ul>
    </details>
  );
}
