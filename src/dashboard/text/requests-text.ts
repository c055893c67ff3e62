/** The output of the requests commands: a list, the screen of one request, and one line of progress. Pure. */
import { harmless } from '../../shared/runtime/text.js';
import type { RequestPage, RequestQuery, RequestSummary, RequestView } from '../../shared/state/requests.js';
import { type Paint, padEnd, type Style, wrap } from '../terminal/glyphs.js';
import { aligned, type clockAt, count, counted, moment } from './figures.js';
import { newFile, nextSteps, percentOf, stateWord } from './request-words.js';

type Clock = ReturnType<typeof clockAt>;
/** How a screen is drawn: width in columns, colours, the reader's clock. */
export type Canvas = { readonly columns: number; readonly paint: Paint; readonly clock: Clock };

const associations = (value: number): string => counted(value, 'association');
const time = (iso: string): string => moment(Date.parse(iso));

/** One row for each request, the newest first. @param asked what the list is limited to */
export function requestsText({ requests, after }: RequestPage, asked: RequestQuery = {}): string {
  if (requests.length === 0) {
    const older = asked.after === undefined ? '' : 'older ';
    return asked.state === undefined ? `No ${older}requests.` : `No ${older}request is ${asked.state}.`;
  }
  const ids = shortIds(requests.map(({ id }) => id));
  const rows = requests.map((request, at) => [
    ids[at] ?? '',
    time(request.enqueuedAt),
    stateWord(request),
    ...[request.accepted, request.created, request.rejected, request.cancelled, request.queued].map(count),
    request.name ?? '–',
  ]);
  const heads = ['id', 'enqueued', 'state', 'accepted', 'created', 'rejected', 'cancelled', 'queued', 'name'];
  const more = after === undefined ? [] : ['', `There are more: --after ${after}`];
  return [...aligned([heads, ...rows], new Set([3, 4, 5, 6, 7])), ...more].map(harmless).join('\n');
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SHORTEST = 8;

/** Shortens UUIDs to what tells them apart in the list; the commands accept that much. Other ids stay whole. */
export function shortIds(ids: readonly string[]): string[] {
  const isUnique = (length: number) => new Set(ids.map(id => id.slice(0, length))).size === new Set(ids).size;
  let length = SHORTEST;
  while (length < 36 && !isUnique(length)) length += 1;
  return ids.map(id => (UUID.test(id) ? id.slice(0, length) : id));
}

/** The screen of one request, without a newline at the end: what it is, how far it is, why not all of it, what to do next. */
export function requestText(request: RequestView, canvas: Canvas): string {
  const { columns, paint } = canvas;
  const sections = [
    head(request, paint),
    [
      ...wrap(paint(harmless(stateText(request, canvas.clock)), ...toneOf(request)), columns),
      progressBar(request, columns, paint),
    ],
    counts(request),
    reasons(request, canvas),
    nextSteps(request).map(step => `  ${harmless(step)}`),
  ];
  const [about, progress, numbers, why, next] = sections;
  return [
    ...(about ?? []),
    '',
    ...(progress ?? []),
    '',
    ...(numbers ?? []),
    ...titled('rejected because', why, paint),
    ...titled('next', next, paint),
  ].join('\n');
}

const titled = (title: string, lines: readonly string[] = [], paint: Paint): string[] =>
  lines.length > 0 ? ['', paint(title, 'bold'), ...lines] : [];

function head(request: RequestView, paint: Paint): string[] {
  const { id, name, enqueuedAt, by, via, source, account, shared } = request;
  const from = { file: 'from a file', library: 'with the library', gateway: 'through the gateway' }[via];
  const who = by === undefined ? '' : ` by ${by}`;
  const what = source === undefined ? '' : `, source ${source}`;
  const where = account === 'default' ? '' : `, account ${account}`;
  const several = shared ? '; several requests of one association, which share a job' : '';
  return [
    `${paint(harmless(name ?? 'request without a name'), 'bold')}  ${paint(harmless(id), 'dim')}`,
    paint(harmless(`enqueued ${time(enqueuedAt)}${who} ${from}${what}${where}${several}`), 'dim'),
  ];
}

const toneOf = ({ state, rejected }: RequestView): Style[] => {
  if (state === 'interrupted') return ['yellow'];
  if (state === 'cancelled' || rejected > 0) return ['yellow'];
  return ['green'];
};

/** The state in a sentence. */
export function stateText(request: RequestSummary, clock: Clock): string {
  const { state, queued, accepted, created, rejected, doneAt, doneAbout, cancelledBy } = request;
  const left = `${count(queued)} of ${associations(accepted)} still queued`;
  const about = doneAbout === undefined ? '' : `, done about ${clock(Date.parse(doneAbout))}`;
  switch (state) {
    case 'enqueueing':
      return `Enqueueing: ${associations(accepted)} so far, ${count(accepted - queued)} of them decided`;
    case 'open':
      return `Open: ${left}${about}`;
    case 'interrupted':
      return `Interrupted before everything was enqueued: ${request.interrupted ?? 'nobody knows why'}. ${left}`;
    case 'cancelled': {
      const who = cancelledBy === undefined ? '' : ` by ${cancelledBy}`;
      return queued > 0
        ? `Being cancelled${who}: ${left}`
        : `Cancelled${who}: nothing of it is queued any more`;
    }
    case 'done': {
      const since = doneAt === undefined ? 'Done' : `Done since ${time(doneAt)}`;
      if (accepted === 0) return `${since}: it has no associations`;
      return rejected === 0
        ? `${since}: all ${associations(created)} created`
        : `${since}: ${count(rejected)} of ${associations(accepted)} rejected`;
    }
  }
}

/** The parts of a bar, which differ without colours as well. */
const PARTS = [
  ['created', '█', 'green'],
  ['rejected', '▓', 'red'],
  ['cancelled', '▒', 'dim'],
] as const;

/** `████████▓░░░ 71 %`; a part that is not empty takes at least one column */
export function progressBar(request: RequestSummary, columns: number, paint: Paint): string {
  const { accepted, queued } = request;
  const percent = ` ${percentOf(request)}`;
  const length = Math.max(1, Math.min(columns, WIDEST) - percent.length);
  if (accepted <= 0) return `${'░'.repeat(length)}${percent}`;
  const widths = PARTS.map(([field]) =>
    request[field] === 0 ? 0 : Math.max(1, Math.floor((request[field] / accepted) * length)),
  );
  const least = queued > 0 ? 1 : 0;
  // a column too many goes from the largest part, a missing one to it
  const excess = widths.reduce((sum, width) => sum + width, 0) - (length - least);
  const largest = widths.indexOf(Math.max(...widths));
  if (excess > 0 || queued === 0) widths[largest] = Math.max(0, (widths[largest] ?? 0) - excess);
  const drawn = PARTS.map(([, glyph, style], at) => paint(glyph.repeat(widths[at] ?? 0), style)).join('');
  const rest = length - widths.reduce((sum, width) => sum + width, 0);
  return `${drawn}${'░'.repeat(Math.max(0, rest))}${percent}`;
}
const WIDEST = 70;

function counts(request: RequestView): string[] {
  const { accepted, created, rejected, cancelled, queued, refusedLines, discarded = 0 } = request;
  const refused =
    refusedLines > 0 ? `${counted(refusedLines, 'line')} of the file refused before, so not among them` : '';
  const gone = discarded > 0 ? `${count(discarded)} of them discarded` : '';
  return aligned(
    [
      ['created', count(created), ''],
      ['rejected', count(rejected), gone],
      ...(cancelled > 0 ? [['cancelled', count(cancelled), '']] : []),
      ['queued', count(queued), ''],
      ['accepted', count(accepted), refused],
    ],
    new Set([1]),
  );
}

/** More reasons than this are counted in one row. */
const REASONS = 12;

function reasons({ rejections }: RequestView, { columns }: Canvas): string[] {
  const shown = rejections.slice(0, REASONS);
  const others = rejections.slice(REASONS).reduce((sum, { count: size }) => sum + size, 0);
  const rows = shown.map(({ category, message, count: size }) => [count(size), category, message] as const);
  if (others > 0) rows.push([count(others), 'for other reasons', '(--json shows all)']);
  const sizes = Math.max(0, ...rows.map(([size]) => size.length));
  const categories = Math.max(0, ...rows.map(([, category]) => category.length));
  const indent = 2 + sizes + 2 + categories + 2;
  return rows.flatMap(([size, category, message]) => {
    const [first = '', ...more] = wrap(harmless(message), Math.max(20, columns - indent));
    return [
      `  ${size.padStart(sizes)}  ${padEnd(harmless(category), categories)}  ${first}`,
      ...more.map(line => ' '.repeat(indent) + line),
    ];
  });
}

type Pace = { readonly perSecond: number | null; readonly now: number; readonly sentence: string };

/** One line of progress for a terminal, which may be too long for it. @param sentence why it does not go on, or '' */
export function progressLine(
  request: RequestSummary,
  { perSecond, now, sentence }: Pace,
  canvas: Canvas,
): string {
  const { paint, clock, columns } = canvas;
  const bar = progressBar(request, Math.max(12, Math.floor(columns / 3)), paint);
  const rejected = request.rejected > 0 ? paint(`, ${count(request.rejected)} rejected`, 'red') : '';
  const cancelled = request.cancelled > 0 ? `, ${count(request.cancelled)} cancelled` : '';
  const numbers = `${count(request.created)} created${rejected}${cancelled}, ${count(request.queued)} queued`;
  const pace = sentence ? paint(harmless(sentence), 'yellow') : paceText(request, now, perSecond, clock);
  return [bar, numbers, pace].filter(Boolean).join('  ');
}

/** One line of progress for a pipe or a log. @param perSecond null: not known */
export function waitLine(
  request: RequestSummary,
  now: number,
  perSecond: number | null,
  clock: Clock,
): string {
  const { state, accepted, created, rejected, cancelled, queued } = request;
  return [
    new Date(now).toISOString(),
    state,
    `accepted ${accepted} created ${created} rejected ${rejected} cancelled ${cancelled} queued ${queued}`,
    ...(paceText(request, now, perSecond, clock) ? [paceText(request, now, perSecond, clock)] : []),
  ].join('  ');
}

/** `2,100/s, done about 14:32 UTC`; '' if nothing is known */
export function paceText(
  { doneAbout, queued, state }: RequestSummary,
  now: number,
  perSecond: number | null,
  clock: Clock,
): string {
  const rate = perSecond === null ? '' : `${count(perSecond)}/s`;
  // the rate of the last seconds says more than the mean
  const isMoving = perSecond !== null && perSecond > 0 && state === 'open' && queued > 0;
  const end = isMoving ? now + (queued / perSecond) * 1_000 : Date.parse(doneAbout ?? '');
  return [rate, Number.isFinite(end) ? `done about ${clock(end)}` : ''].filter(Boolean).join(', ');
}

/** The last line of a wait, for people and scripts. */
export function outcomeText({ id, state, created, rejected, cancelled, queued }: RequestSummary): string {
  const left = queued > 0 ? `, queued ${queued}` : '';
  return harmless(
    `request ${id} ${state}: created ${created}, rejected ${rejected}, cancelled ${cancelled}${left}`,
  );
}

/** @param missing associations that no line of the file had */
type Exported = {
  readonly id: string;
  readonly associations: number;
  readonly rejected: number;
  /** rejections that an operator discarded */
  readonly discarded: number;
  readonly original?: {
    readonly path: string;
    readonly format: string;
    readonly options: string;
    missing(): readonly { readonly from: string; readonly to: string }[];
  };
};

/** What was exported, what was not, and how to go on. */
export function exportedText({
  id,
  associations: exported,
  rejected,
  discarded,
  original,
}: Exported): string[] {
  if (rejected === 0) return [`nothing of request ${id} is rejected`];
  const what = original === undefined ? '' : ` with the columns of ${original.path}`;
  const missing = original?.missing() ?? [];
  const [lost] = missing;
  const file = newFile('rejected', original?.path, original?.format ?? 'ndjson');
  const options = original?.options ? ` ${original.options}` : '';
  return [
    exported > 0 ? `exported ${counted(exported, 'rejected association')}${what}` : 'nothing to export',
    ...(lost
      ? [
          `${counted(missing.length, 'more association')} in no line of it, for example ${lost.from} → ${lost.to}`,
        ]
      : []),
    ...notFailedTexts(rejected - exported - missing.length, discarded),
    ...(exported > 0
      ? [
          `when they are repaired: association-queue enqueue ${file}${options}`,
          `they stay in the list of failures until: association-queue failures discard --request ${id}`,
        ]
      : []),
  ];
}

/**
 * Rejections that are not among the failed jobs: discarded, or gone in a way that nobody has counted.
 * @param left rejections of the record that were not found @param discarded of all rejections
 */
export function notFailedTexts(left: number, discarded: number): string[] {
  const gone = Math.min(left, discarded);
  const others = left - gone;
  const were = (n: number) => `${count(n)} more ${n === 1 ? 'was' : 'were'}`;
  return [
    ...(gone > 0 ? [`${were(gone)} rejected and discarded`] : []),
    ...(others > 0 ? [`${were(others)} rejected, in jobs that another client has retried or removed`] : []),
  ];
}
