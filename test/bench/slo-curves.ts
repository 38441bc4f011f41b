/** `npm run bench:slo -- --only curves`: the pictures of docs/detection.md, drawn anew from the detector as it is. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { seededRandom } from '#kernel/random.ts';
import { days, hours, seconds } from '#kernel/units.ts';
import { BURN_RULES, burnFactor } from '#slo/burn-rate.ts';
import { addEvidence, startEvidence } from '#slo/evidence.ts';
import { makeEvidenceModel, STEP } from '#slo/evidence-model.ts';
import { timeToDetect } from '#slo/meaning.ts';
import { DEFAULT_ALERTING } from '#slo/objective.ts';
import { clumpsOf, HEALTHY, type Service, simulate } from '#slo/simulate.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';

type Point = { readonly x: number; readonly y: number };
type Curve = {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  readonly points: readonly Point[];
};
type Axis = {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly (readonly [number, string])[];
};

const FOLDER = 'docs/pictures';
const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [720, 420, 80, 24, 190, 56];

/** Both axes logarithmic. */
function draw(x: Axis, y: Axis, curves: readonly Curve[]): string {
  const at = ({ from, to }: Axis, value: number) => Math.log(value / from) / Math.log(to / from);
  const px = (value: number) => LEFT + at(x, value) * (WIDTH - LEFT - RIGHT);
  const py = (value: number) => HEIGHT - BOTTOM - at(y, value) * (HEIGHT - TOP - BOTTOM);
  const text = (left: number, top: number, words: string, more = '') =>
    `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" ${more}>${words}</text>`;
  const grid = [
    ...x.ticks.map(
      ([value, words]) =>
        `<line x1="${px(value).toFixed(1)}" x2="${px(value).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="g"/>${text(px(value), HEIGHT - BOTTOM + 18, words, 'text-anchor="middle"')}`,
    ),
    ...y.ticks.map(
      ([value, words]) =>
        `<line y1="${py(value).toFixed(1)}" y2="${py(value).toFixed(1)}" x1="${LEFT}" x2="${WIDTH - RIGHT}" class="g"/>${text(LEFT - 8, py(value) + 4, words, 'text-anchor="end"')}`,
    ),
  ];
  const lines = curves.map(({ colour, dashed, points }) => {
    const path = points.map((point) => `${px(point.x).toFixed(1)},${py(point.y).toFixed(1)}`).join(' ');
    const dots =
      points.length > 12
        ? ''
        : points
            .map(
              (point) =>
                `<circle cx="${px(point.x).toFixed(1)}" cy="${py(point.y).toFixed(1)}" r="3" fill="${colour}"/>`,
            )
            .join('');
    return `<polyline points="${path}" stroke="${colour}"${dashed ? ' stroke-dasharray="6 4"' : ''} class="c"/>${dots}`;
  });
  const legend = curves.map(({ name, colour }, i) =>
    text(WIDTH - RIGHT + 16, TOP + 16 + i * 22, name, `fill="${colour}"`),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" role="img">`,
    `<title>${y.title} by ${x.title}</title>`,
    '<style>.g{stroke:#ccc;stroke-width:1}.c{fill:none;stroke-width:2.2}</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...grid,
    ...lines,
    ...legend,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x.title, 'text-anchor="middle"'),
    `<text transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${y.title}</text>`,
    '</svg>\n',
  ].join('\n');
}

export function curves(): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/time-to-page.svg`, timeToPageCurve());
  writeFileSync(`${FOLDER}/operating-curve.svg`, operatingCurve());
}

const SHARES = Array.from({ length: 25 }, (_, i) => 0.05 * 20 ** (i / 24));

function timeToPageCurve(): string {
  const objective = objectiveOf();
  const detector = ([rate, name, colour]: readonly [number, string, string]): Curve => {
    const points = SHARES.flatMap((share) => {
      const time = timeToDetect(objective, share, rate, days(1));
      return time === null ? [] : [{ x: share, y: time }];
    });
    return { name, colour, points };
  };
  const pairs = BURN_RULES.filter(({ severity }) => severity === 'critical').map((rule) => ({
    rule,
    factor: burnFactor(rule, days(28)),
  }));
  const workbook = SHARES.flatMap((share) => {
    const times = pairs
      .filter(({ factor }) => share / 0.02 >= factor)
      .map(({ rule, factor }) => (rule.long * factor * 0.02) / share);
    return times.length === 0 ? [] : [{ x: share, y: Math.min(...times) }];
  });
  const x: Axis = {
    title: 'share that fails',
    from: 0.05,
    to: 1,
    ticks: [
      [0.05, '5 %'],
      [0.1, '10 %'],
      [0.2, '20 %'],
      [0.3, '30 %'],
      [0.5, '50 %'],
      [1, '100 %'],
    ],
  };
  const y: Axis = {
    title: 'until somebody is woken',
    from: 10,
    to: 86_400,
    ticks: [
      [10, '10 s'],
      [60, '1 min'],
      [300, '5 min'],
      [1_800, '30 min'],
      [7_200, '2 h'],
      [43_200, '12 h'],
    ],
  };
  const rates = [
    [10, '10/s', '#0b6e4f'],
    [1, '1/s', '#1f77b4'],
    [0.2, '0.2/s', '#8e44ad'],
    [1 / 60, '1 a minute', '#b9770e'],
  ] as const;
  return draw(x, y, [
    ...rates.map(detector),
    { name: "workbook's pages", colour: '#c0392b', dashed: true, points: workbook },
  ]);
}

const SEEDS = 4;
const TOLERABLE = [1_000, 100, 20, 2, 0.2] as const;

/** One point for each number of tolerable false pages: how quick, and how many pages clumps within the objective cost. */
function operatingCurve(): string {
  const half = (from: number): Partial<Service> => ({
    failing: 0.005,
    outage: { from: seconds(from), to: seconds(from + 3_600), share: 0.5 },
  });
  const of = (rate: number, name: string, colour: string): Curve => ({
    name,
    colour,
    points: TOLERABLE.map((falsePagesPerYear) => {
      const model = makeEvidenceModel(objectiveOf({ alerting: { ...DEFAULT_ALERTING, falsePagesPerYear } }));
      const alarms = (service: Service, length: number, seed: number) => {
        const state = startEvidence(model);
        const found: number[] = [];
        let was = false;
        for (const row of simulate(service, seconds(length), seededRandom(seed))) {
          addEvidence(model, state, row, STEP, row.at);
          if (state.alarmed && !was) found.push(row.at);
          was = state.alarmed;
        }
        return found;
      };
      const times = Array.from({ length: 21 }, (_, i) => {
        const from = 3_600 + i * 1.7;
        return (
          (alarms({ ...HEALTHY, rate, ...half(from) }, from + hours(1), i + 1).find((at) => at > from) ??
            from + 3_600) - from
        );
      }).toSorted((a, b) => a - b);
      let pages = 0;
      for (let seed = 0; seed < SEEDS; seed++)
        pages += alarms({ ...HEALTHY, rate, clumps: clumpsOf(0.01) }, days(30), seed * 31 + 5).length / SEEDS;
      return { x: times[10] ?? 0, y: Math.max(0.1, pages) };
    }),
  });
  const x: Axis = {
    title: 'until somebody is woken, when half of all fails (median)',
    from: 10,
    to: 200,
    ticks: [
      [10, '10 s'],
      [20, '20 s'],
      [50, '50 s'],
      [100, '100 s'],
      [200, '200 s'],
    ],
  };
  const y: Axis = {
    title: 'pages nobody needed in 30 days, 72 clumps a day',
    from: 0.1,
    to: 3_000,
    ticks: [
      [0.1, 'none'],
      [1, '1'],
      [10, '10'],
      [100, '100'],
      [1_000, '1,000'],
    ],
  };
  return draw(x, y, [of(10, '10/s', '#0b6e4f'), of(1, '1/s', '#1f77b4'), of(0.2, '0.2/s', '#8e44ad')]);
}
