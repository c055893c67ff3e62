/** One frame of `stats --watch`: a reading → the lines of the screen, from the most to the least important. Pure. */
import { harmless } from '../../shared/runtime/text.js';
import { isStandby } from '../../shared/state/worker-reports.js';
import type { Series } from '../overview/minutes.js';
import type { Reading } from '../overview/overview.js';
import { clockAt, count, counted, duration } from '../text/figures.js';
import { sizeText, totalText } from '../text/rejection-words.js';
import { endsToday, secondsLeft, short, stateSentence, type Tone } from '../text/state-sentence.js';
import { bar, clip, type Paint, padEnd, type Style, sparkline, width, wrap } from './glyphs.js';

export type FrameInput = {
  readonly reading: Reading;
  /** the last hour by the minute */
  readonly hour: Series;
  /** associations per second at each reading so far, newest last; null if not known yet */
  readonly live: readonly (number | null)[];
  readonly account: string;
  /** Redis, without its password */
  readonly place: string;
  /** why Redis cannot be read, so that the figures are old */
  readonly trouble: string | undefined;
};
export type Size = { readonly columns: number; readonly rows: number };

const TONES: Readonly<Record<Tone, Style>> = { good: 'green', idle: 'dim', warn: 'yellow', bad: 'red' };
const CHART_ROWS = 2;
const LABEL = 12;
const WIDEST = 110;

/** @returns at most `rows` lines of at most `columns` columns */
export function frame(input: FrameInput, size: Size, paint: Paint): string[] {
  const columns = Math.max(20, Math.min(size.columns, WIDEST) - 2);
  const footer = paint('every second · Ctrl-C ends it', 'dim');
  const sections = [
    [...head(input, columns, paint), ''],
    [...quota(input, columns, paint), ''],
    [...throughput(input, columns, paint), ''],
    [...tables(input, columns, paint), ''],
    heldPairs(input, paint),
    rejections(input, paint),
  ];
  const lines = sections.flat().slice(0, Math.max(1, size.rows - 1));
  while (lines.at(-1) === '') lines.pop();
  while (lines.length < size.rows - 1) lines.push('');
  return [...lines, footer].slice(0, size.rows).map(line => clip(` ${line}`, columns + 1));
}

function head({ reading, account, place, trouble }: FrameInput, columns: number, paint: Paint): string[] {
  const { state } = reading.figures;
  const left =
    paint('HubSpot associations', 'bold') + paint(`  ${harmless(`${account} at ${place}`)}`, 'dim');
  const clock = `${new Date(state.now).toISOString().slice(11, 19)} UTC`;
  const title = padEnd(clip(left, columns - clock.length - 1), columns - clock.length) + paint(clock, 'dim');
  if (trouble !== undefined)
    return [title, '', ...sentence(trouble, 'bad', columns, paint), paint('what follows is old', 'dim')];
  const { tone, text } = stateSentence(state, clockAt(state.now));
  return [title, '', ...sentence(text, tone, columns, paint)];
}

/** Wraps the sentence and never cuts it, because it is the most important part. */
function sentence(text: string, tone: Tone, columns: number, paint: Paint): string[] {
  return wrap(harmless(text), columns - 2).map(
    (line, at) => `${at === 0 ? paint('●', TONES[tone]) : ' '} ${paint(line, 'bold')}`,
  );
}

function quota({ reading }: FrameInput, columns: number, paint: Paint): string[] {
  const { limit, windowMs, usedInWindow, usedToday, dailyLimit } = reading.figures.stats.quota;
  const length = Math.max(10, Math.min(40, columns - LABEL - 48));
  const row = (label: string, used: number, of: number, style: Style, words: string) => {
    const [full, empty] = bar(used / of, length);
    return `${paint(label.padEnd(LABEL), 'dim')}${paint(full, style)}${paint(empty, 'dim')}  ${words}`;
  };
  const window = row(
    'window',
    usedInWindow,
    limit,
    'cyan',
    `${count(usedInWindow)} of ${counted(limit, 'call')} per ${duration(windowMs / 1_000)}`,
  );
  if (dailyLimit === 0)
    return [window, `${paint('day'.padEnd(LABEL), 'dim')}${counted(usedToday, 'call')}, no limit`];
  const share = usedToday / dailyLimit;
  const style = share >= 0.95 ? 'red' : share >= 0.8 ? 'yellow' : 'cyan';
  const words = `${count(usedToday)} of ${count(dailyLimit)}, starts again in ${duration(reading.figures.msUntilReset / 1_000)}`;
  return [window, row('day', usedToday, dailyLimit, style, words)];
}

/** Associations decided per second: one column for each second since the start of the command; and the last hour by the minute. */
function throughput({ reading, hour, live }: FrameInput, columns: number, paint: Paint): string[] {
  const { perSecond } = reading.figures.state;
  const decided = hour.created.map(
    (created, at) => ((created ?? 0) + (hour.rejected[at] ?? 0)) / hour.stepSeconds,
  );
  // for the current minute the rate of the last seconds is more accurate
  if (perSecond !== null) decided[decided.length - 1] = perSecond;
  const room = columns - LABEL;
  const chart = (values: readonly number[], labels: readonly string[], style: Style) =>
    sparkline(values, CHART_ROWS).map(
      (line, at) => `${paint((labels[at] ?? '').padEnd(LABEL), 'dim')}${paint(line, style)}`,
    );
  const known = live.slice(-60).map(each => each ?? 0);
  const seconds = [...new Array<number>(60 - known.length).fill(0), ...known];
  const top = Math.max(0, ...decided);
  return [
    ...chart(
      stretched(seconds, room),
      [perSecond === null ? '' : `${short(perSecond)}/s`, 'last minute'],
      'green',
    ),
    ...chart(stretched(decided, room), [top > 0 ? `top ${short(top)}/s` : '', 'last hour'], 'blue'),
  ];
}

/** Stretches the values to the available columns; if there are too few, the oldest values are omitted. */
function stretched(values: readonly number[], columns: number): number[] {
  const each = Math.max(1, Math.floor(columns / values.length));
  return values.slice(-Math.floor(columns / each)).flatMap(value => new Array<number>(each).fill(value));
}

type Cell = readonly [label: string, value: string, style?: Style | undefined];
/** Puts tables side by side as far as they fit. */
function tables({ reading }: FrameInput, columns: number, paint: Paint): string[] {
  const { stats, state } = reading.figures;
  const { associations, jobs, calls } = stats;
  const alive = reading.workers.alive;
  const working = alive.filter(worker => !isStandby(worker));
  const sum = (of: (worker: (typeof alive)[number]) => number) =>
    working.reduce((total, worker) => total + of(worker), 0);
  const fill = reading.minutes.fill.findLast(value => value !== null);
  const bad = (value: number): Style | undefined => (value > 0 ? 'red' : undefined);
  const seconds = secondsLeft(state);
  const eta = endsToday(state) ? 'not today' : seconds === null ? '–' : duration(seconds);
  const blocks: readonly (readonly Cell[])[] = [
    [
      ['left', short(state.backlog)],
      ['done in', eta],
      ['created', count(associations.created), 'green'],
      ['rejected', count(associations.rejected), bad(associations.rejected)],
      ['tried again', count(associations.retried)],
    ],
    [
      ['jobs waiting', count(jobs.waiting)],
      ['in work', count(jobs.active)],
      ['delayed', count(jobs.delayed)],
      ['failed', count(jobs.failed), bad(jobs.failed)],
      ['oldest', stats.oldestWaitingSeconds === null ? '–' : duration(stats.oldestWaitingSeconds)],
    ],
    [
      ['workers', count(alive.length), alive.length === 0 && state.backlog > 0 ? 'red' : undefined],
      ['calls in flight', `${sum(({ inFlight }) => inFlight)} of ${sum(({ maxInFlight }) => maxInFlight)}`],
      ['inputs a call', fill === undefined || fill === null ? '–' : count(fill)],
      ['rate limited', count(calls.rateLimited), bad(calls.rateLimited)],
      ['calls failed', count(calls.failed), bad(calls.failed)],
    ],
  ];
  const rendered = blocks.map(cells => block(cells, paint));
  const gap = '     ';
  const lines = [0, 1, 2, 3, 4].map(row => rendered.map(rows => rows[row] ?? '').join(gap));
  if (width(lines[0] ?? '') <= columns) return lines;
  return rendered.flatMap((rows, at) => (at === 0 ? rows : ['', ...rows]));
}

function block(cells: readonly Cell[], paint: Paint): string[] {
  const labels = Math.max(...cells.map(([label]) => label.length));
  const values = Math.max(9, ...cells.map(([, value]) => value.length));
  return cells.map(([label, value, style]) => {
    const text = value.padStart(values);
    return `${paint(label.padEnd(labels), 'dim')}  ${style ? paint(text, style) : text}`;
  });
}

function heldPairs({ reading }: FrameInput, paint: Paint): string[] {
  const { heldPairs: held, state } = reading.figures;
  if (held.length === 0) return [];
  const lines = held.map(
    ({ objectPair, until, reason }) =>
      `  ${paint(harmless(objectPair), 'yellow')}  ${duration((until - state.now) / 1_000)}  ${paint(harmless(reason), 'dim')}`,
  );
  return [paint('held object pairs: their associations wait, nothing is lost', 'bold'), ...lines, ''];
}

function rejections({ reading }: FrameInput, paint: Paint): string[] {
  const { associations, groups } = reading.rejections;
  if (groups.length === 0) return [];
  const counts = groups.map(sizeText);
  const digits = Math.max(...counts.map(text => text.length));
  const longest = Math.max(...groups.map(({ category }) => category.length));
  const lines = groups.map(
    ({ category, from, to, message }, at) =>
      `  ${paint((counts[at] ?? '').padStart(digits), 'red')}  ${harmless(category).padEnd(longest)}  ${harmless(`${from} → ${to}`)}  ${paint(harmless(message), 'dim')}`,
  );
  return [
    `${paint(`rejected: ${totalText(associations, groups) || 'nothing that could be counted'}`, 'bold')}${paint('  see: association-queue failures list', 'dim')}`,
    ...lines,
  ];
}
