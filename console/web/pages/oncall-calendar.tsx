/** Shifts as bars: who is on call in the end, on top; what each layer would say, below. A drag over the top makes an override. */
import { useRef, useState } from 'preact/hooks';
import { now } from '#console/web/data/now.ts';
import type { Calendar } from '#console/web/data/wire.ts';
import { whole } from '#console/web/parts/time.tsx';
import { colourOf, midnights, momentAt, placeOf, type Range } from '#console/web/text/calendar.ts';

type Props = {
  readonly calendar: Calendar;
  readonly range: Range;
  /** Undefined: whoever looks may not change it. */
  readonly onDrag: ((from: number, to: number) => void) | undefined;
};

const DAY_NAME = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric' });

export function CalendarChart({ calendar, range, onDrag }: Props) {
  const { shifts, layers, gaps } = calendar;
  const days = midnights(range);
  const present = placeOf(range, now.value, now.value + 1);
  return (
    <figure class="calendar" aria-label={`Calendar of ${calendar.schedule}`}>
      <div class="days" aria-hidden="true">
        {days.map((day, i) => {
          const place = placeOf(range, day, days[i + 1] ?? range.to);
          return (
            place && (
              <span key={day} style={{ insetInlineStart: `${place.start}%`, inlineSize: `${place.size}%` }}>
                {DAY_NAME.format(day)}
              </span>
            )
          );
        })}
      </div>
      <DragLane range={range} onDrag={onDrag} label="On call">
        {shifts.map((shift) => (
          <Bar
            key={`${shift.from}${shift.person}`}
            range={range}
            {...shift}
            isOverride={shift.override !== null || shift.fromFile}
          />
        ))}
        {gaps.map(({ from, to }) => {
          const place = placeOf(range, Date.parse(from), Date.parse(to));
          return (
            place && (
              <span
                key={from}
                class="gap"
                title={`Nobody\n${whole(from)}\n${whole(to)}`}
                style={{ insetInlineStart: `${place.start}%`, inlineSize: `${place.size}%` }}
              />
            )
          );
        })}
        {present && <span class="present" style={{ insetInlineStart: `${present.start}%` }} />}
      </DragLane>
      {layers.length > 1 &&
        layers.map((layer) => (
          <div key={layer.name} class="lane thin">
            <span class="lane-name foreign">{layer.name}</span>
            {layer.shifts.map((shift) => (
              <Bar key={`${shift.from}${shift.person}`} range={range} {...shift} isOverride={false} />
            ))}
          </div>
        ))}
    </figure>
  );
}

type BarProps = {
  readonly range: Range;
  readonly from: string;
  readonly to: string;
  readonly person: string;
  readonly displayName: string;
  readonly isOverride: boolean;
};

function Bar({ range, from, to, person, displayName, isOverride }: BarProps) {
  const place = placeOf(range, Date.parse(from), Date.parse(to));
  if (place === undefined) return null;
  return (
    <span
      class={`shift colour-${colourOf(person)}${isOverride ? ' override' : ''}`}
      style={{ insetInlineStart: `${place.start}%`, inlineSize: `${place.size}%` }}
      title={`${displayName}${isOverride ? ' (override)' : ''}\n${whole(from)}\n${whole(to)}`}
    >
      <span class="foreign one-line">{displayName}</span>
    </span>
  );
}

type LaneProps = Pick<Props, 'range' | 'onDrag'> & {
  readonly label: string;
  readonly children: preact.ComponentChildren;
};
type Dragged = { readonly start: number; readonly end: number };
/** Shorter than this share of the lane was a touch, not a drag. */
const LEAST = 0.01;

function DragLane({ range, onDrag, label, children }: LaneProps) {
  const lane = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<Dragged>();
  const shareOf = (event: PointerEvent) => {
    const { left, width } = lane.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return (event.clientX - left) / width;
  };
  const begin = (event: PointerEvent) => {
    if (onDrag === undefined || event.button !== 0) return;
    lane.current?.setPointerCapture(event.pointerId);
    setDragged({ start: shareOf(event), end: shareOf(event) });
  };
  const end = () => {
    if (dragged !== undefined && Math.abs(dragged.end - dragged.start) >= LEAST) {
      const [from, to] = [dragged.start, dragged.end].sort((a, b) => a - b) as [number, number];
      onDrag?.(momentAt(range, from), momentAt(range, to));
    }
    setDragged(undefined);
  };
  const [left, right] =
    dragged === undefined ? [0, 0] : ([dragged.start, dragged.end].sort((a, b) => a - b) as [number, number]);
  return (
    <div
      ref={lane}
      class={onDrag === undefined ? 'lane' : 'lane draggable'}
      role="presentation"
      title={onDrag === undefined ? undefined : 'Drag over it to put somebody else on call'}
      aria-label={label}
      onPointerDown={begin}
      onPointerMove={(event) => dragged && setDragged({ ...dragged, end: shareOf(event) })}
      onPointerUp={end}
      onPointerCancel={() => setDragged(undefined)}
    >
      {children}
      {dragged && (
        <span class="dragged" style={{ insetInlineStart: `${left * 100}%`, inlineSize: `${(right - left) * 100}%` }} />
      )}
    </div>
  );
}
