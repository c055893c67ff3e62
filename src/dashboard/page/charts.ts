/** The last hour or day, from the minute buckets: six small charts with one time axis. */
// only the types: the library is a classic script with a global, uPlot
import type UPlot from 'uplot';
import { short } from '../text/state-sentence.js';
import type { Figures, Series } from '../view.js';
import { byId, element, setText } from './dom.js';
import { count, duration } from './format.js';

type Line = { name: string; colour: '1' | '2' | '3' | 'limit'; values: (number | null)[] };
type Chart = { title: string; lines: Line[]; value: (n: number) => string };
type Drawn = { plot: UPlot; figure: HTMLElement; host: HTMLElement };

const HEIGHT = 132;
/** The current step is shown after this many seconds: before, its rate means little. */
const LEAST_SECONDS = 15;
const drawn = new Map<string, Drawn>();
let shown: Chart[] = [];

/** @param nowSeconds the rate of the unfinished last step is computed from the part until now */
export function showCharts(series: Series, limits: Figures['limits'], nowSeconds: number): void {
  shown = charts(series, limits, nowSeconds);
  for (const chart of shown) {
    const known = drawn.get(chart.title) ?? create(chart);
    known.plot.setData(dataOf(chart, series));
    known.host.setAttribute('aria-label', summary(chart));
  }
}

function charts(series: Series, limits: Figures['limits'], nowSeconds: number): Chart[] {
  const perMinute = (values: readonly (number | null)[]) =>
    values.map((value, at) => {
      if (value === null) return null;
      const start = series.at[at] ?? 0;
      const seconds = Math.min(series.stepSeconds, nowSeconds - start);
      return seconds < LEAST_SECONDS ? null : (value / seconds) * 60;
    });
  const level = (n: number) => series.at.map(() => n);
  return [
    {
      title: 'Created a minute',
      value: short,
      lines: [{ name: 'created', colour: '1', values: perMinute(series.created) }],
    },
    {
      title: 'Not created a minute',
      value: short,
      lines: [
        { name: 'rejected', colour: '2', values: perMinute(series.rejected) },
        { name: 'to retry', colour: '3', values: perMinute(series.retried) },
      ],
    },
    { title: 'Left', value: short, lines: [{ name: 'associations', colour: '1', values: series.backlog }] },
    {
      title: 'Calls a minute',
      value: short,
      lines: [
        { name: 'sent', colour: '1', values: perMinute(series.calls) },
        {
          name: 'failed',
          colour: '2',
          values: perMinute(
            series.failed.map((n, at) => (n === null ? null : n + (series.limited[at] ?? 0))),
          ),
        },
        { name: 'quota', colour: 'limit', values: level((limits.limit * 60_000) / limits.windowMs) },
      ],
    },
    {
      title: 'Inputs of a batch',
      value: count,
      lines: [
        { name: 'mean', colour: '1', values: series.fill },
        { name: 'full', colour: 'limit', values: level(limits.batchMaxInputs) },
      ],
    },
    {
      title: 'Oldest waiting',
      value: duration,
      lines: [{ name: 'age', colour: '1', values: series.oldest }],
    },
  ];
}

/** @returns the text that a screen reader reads instead of the chart */
function summary({ title, lines, value }: Chart): string {
  const said = lines
    .filter(({ colour }) => colour !== 'limit')
    .map(({ name, values }) => {
      const known = values.filter(n => n !== null);
      return known.length === 0
        ? `${name}: nothing known`
        : `${name}: now ${value(known.at(-1) ?? 0)}, at most ${value(Math.max(...known))}`;
    });
  return `${title}. ${said.join('; ')}`;
}

const dataOf = ({ lines }: Chart, series: Series): UPlot.AlignedData => [
  series.at,
  ...lines.map(({ values }) => values),
];

function create(chart: Chart): Drawn {
  const legend = element(
    'span',
    { class: 'legend' },
    ...chart.lines.map(({ name, colour }) => element('span', { class: 'key', 'data-key': colour }, name)),
  );
  const readout = element('span', { class: 'legend' });
  readout.hidden = true;
  const caption = element('figcaption', {}, element('strong', {}, chart.title), legend, readout);
  const host = element('div', { role: 'img' });
  const figure = element('figure', { class: 'chart' }, caption, host);
  byId('charts').append(figure);
  const plot = new uPlot(
    options(chart, host, (index, plot) => point(chart.title, index, plot, legend, readout)),
    [[]],
    host,
  );
  const made = { plot, figure, host };
  drawn.set(chart.title, made);
  return made;
}

/** Shows the values under the pointer in place of the legend. */
function point(
  title: string,
  index: number | null | undefined,
  plot: UPlot,
  legend: HTMLElement,
  readout: HTMLElement,
): void {
  const chart = shown.find(each => each.title === title);
  const over = index !== null && index !== undefined && chart !== undefined;
  legend.hidden = over;
  readout.hidden = !over;
  if (!over) return;
  const at = new Date((plot.data[0][index] ?? 0) * 1_000);
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const values = chart.lines
    .filter(({ colour }) => colour !== 'limit')
    .map(
      ({ name, values }) =>
        `${name} ${values[index] === null || values[index] === undefined ? '–' : chart.value(values[index])}`,
    );
  setText(readout, `${time}  ${values.join('  ')}`);
}

function options(
  chart: Chart,
  host: HTMLElement,
  onPoint: (index: number | null | undefined, plot: UPlot) => void,
): UPlot.Options {
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui',
  };
  const line = ({ colour: key }: Line, at: number): UPlot.Series =>
    key === 'limit'
      ? { stroke: colour('--quiet'), width: 1, dash: [5, 5], points: { show: false } }
      : {
          stroke: colour(`--chart-${key}`),
          width: 1.75,
          points: { show: true, size: 5, filter: (plot, index) => lonely(plot.data[index] ?? []) },
          spanGaps: false, // nobody knows what was there
          ...(at === 0 && key === '1' && { fill: colour('--chart-fill') }),
        };
  return {
    width: host.clientWidth || 300,
    height: HEIGHT,
    cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(2, (max ?? 0) * 1.08)] } },
    axes: [
      {
        ...axis,
        size: 24,
        space: 60,
        values: (_plot, splits) =>
          splits.map(s =>
            new Date(s * 1_000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }),
          ),
      },
      {
        ...axis,
        size: 46,
        space: 34,
        values: (_plot, splits) =>
          splits.map(n => (n === 0 ? '0' : Number.isInteger(n) ? chart.value(n) : '')),
      },
    ],
    series: [{}, ...chart.lines.map(line)],
    hooks: { setCursor: [plot => onPoint(plot.cursor.idx, plot)] },
  };
}

/** @returns indexes that get a dot: values without neighbours, which a line cannot show, and the newest value */
function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const known = (at: number) => values[at] !== null && values[at] !== undefined;
  const all = Array.from(values, (_, at) => at).filter(known);
  return all.filter(at => at === all.at(-1) || !(known(at - 1) || known(at + 1)));
}

/** Resizes the charts when the width changes and redraws them when the colours change. */
export function followLayout(redraw: () => void): void {
  new ResizeObserver(() => {
    for (const { plot, host } of drawn.values())
      if (host.clientWidth !== plot.width) plot.setSize({ width: host.clientWidth, height: HEIGHT });
  }).observe(byId('charts'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const { plot, figure } of drawn.values()) {
      plot.destroy();
      figure.remove();
    }
    drawn.clear();
    redraw();
  });
}
