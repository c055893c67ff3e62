/** Describes a request in words: its state, its progress, its times. Pure; the caller gives the clock. */
import { shellWord } from '../../shared/runtime/text.js';
import type { RequestView } from '../../shared/state/requests.js';
import type { RequestLine } from '../overview/requests.js';
import { type Clock, short, type Tone } from './state-sentence.js';

type Words = { readonly tone: Tone; readonly text: string };
type Shown = Omit<RequestLine, 'account' | 'perSecond'> & Partial<Pick<RequestLine, 'perSecond'>>;

const count = (n: number): string => n.toLocaleString('en-US');

export const requestName = ({ name, id }: Pick<Shown, 'name' | 'id'>): string => name ?? id;

/** A cancelled request of which something is still queued is being cancelled. */
export const stateWord = ({ state, queued }: Pick<Shown, 'state' | 'queued'>): string =>
  state === 'cancelled' && queued > 0 ? 'cancelling' : state;

export function stateOf(request: Pick<Shown, 'state' | 'queued' | 'rejected'>): Words {
  const { state, rejected } = request;
  const isWarning = state === 'interrupted' || (state === 'done' && rejected > 0);
  const isOver = state === 'done' || state === 'cancelled';
  return { tone: isWarning ? 'warn' : isOver ? 'idle' : 'good', text: stateWord(request) };
}

/** `88 %`; never 100 % while something is undecided. */
export function percentOf({ accepted, queued, state }: Pick<Shown, 'accepted' | 'queued' | 'state'>): string {
  if (accepted <= 0) return state === 'done' ? '100 %' : '0 %';
  return `${Math.floor((100 * (accepted - queued)) / accepted)} %`;
}

/** `880 created, 3 rejected, 117 queued`: what is not there is not named. */
export function countsOf({ created, rejected, cancelled, queued, refusedLines }: Shown): string {
  const named = [
    [created, 'created'],
    [rejected, 'rejected'],
    [cancelled, 'cancelled'],
    [queued, 'queued'],
    [refusedLines, refusedLines === 1 ? 'line refused' : 'lines refused'],
  ] as const;
  const said = named.flatMap(([n, what]) => (n > 0 ? [`${count(n)} ${what}`] : []));
  return said.length > 0 ? said.join(', ') : 'nothing yet';
}

/** How fast it goes and until when, or how it ended. */
export function timingOf(request: Shown, clock: Clock): string {
  const { state, perSecond, doneAbout, doneAt, enqueuedAt, cancelledBy, interrupted } = request;
  if (state === 'interrupted') return interrupted ?? '';
  if (state === 'cancelled') return cancelledBy === undefined ? '' : `by ${cancelledBy}`;
  if (doneAt !== undefined) return `at ${clock(Date.parse(doneAt))}, took ${took(enqueuedAt, doneAt)}`;
  const rate = perSecond ? `${perSecond < 10 ? perSecond.toFixed(1) : short(perSecond)}/s` : '';
  const done = doneAbout === undefined ? '' : `done about ${clock(Date.parse(doneAbout))}`;
  return [rate, done].filter(Boolean).join(', ');
}

/** `45 s`, `3 min`, `2.5 h`, `3 d` */
export function took(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1_000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 360) / 10} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** The commands that go on from here: only those that can do something. */
export function nextSteps(request: Shown & Pick<RequestView, 'file'>): string[] {
  const { id, state, queued, unlisted = 0 } = request;
  const path = request.file?.path;
  const requests = 'association-queue requests';
  return [
    ...(state === 'interrupted' ? restOf(request) : []),
    ...(state === 'enqueueing' || state === 'open' ? [`${requests} wait ${id}`] : []),
    ...(canCancel(request) ? [`${requests} cancel ${id}`] : []),
    ...(state === 'cancelled' && queued > 0 ? [`${requests} cancel ${id}    (goes on with it)`] : []),
    ...(unlisted > 0
      ? [
          `${requests} cancel ${id} --list ${newFile('cancelled', path, 'ndjson')}    (lists ${count(unlisted)} of what was taken back)`,
        ]
      : []),
    ...(hasRejections(request)
      ? [
          `${requests} export ${id} > ${newFile('rejected', path, formatOf(request))}    (repair it, then enqueue it)`,
          `${requests} retry ${id}    (if HubSpot would accept them now)`,
        ]
      : []),
  ];
}

/** What an export of the rejections is written in: the format of the request's file. */
function formatOf({ file }: Pick<RequestView, 'file'>): string {
  if (!file) return 'ndjson';
  const { format } = file.options;
  return typeof format === 'string' ? format : /\.(ndjson|jsonl)$/i.test(file.path) ? 'ndjson' : 'csv';
}

/**
 * A name for what a command writes about a request: `rejected.csv`. An export that was repaired is often the file of the next
 * request, and the shell empties a file before a command can read it: `rejected-2.csv` then.
 * @param path of the request's file, which no command may write to
 */
export function newFile(what: 'rejected' | 'cancelled', path: string | undefined, format: string): string {
  const taken = new RegExp(`(?:^|[/\\\\])${what}(?:-(\\d{1,6}))?\\.\\w+$`, 'i').exec(path ?? '');
  return taken ? `${what}-${Number(taken[1] ?? 1) + 1}.${format}` : `${what}.${format}`;
}

/** How the rest of an interrupted request is enqueued; nobody but its application can do it for one of the library. */
function restOf({ id, via, file, line = 0 }: Shown & Pick<RequestView, 'file'>): string[] {
  if (via !== 'file') return [];
  if (file) return [`association-queue enqueue ${shellWord(file.path)} --resume ${id}`];
  const lines = line > 0 ? `the lines after line ${line}` : 'all lines';
  return [`association-queue enqueue -    (${lines} again: standard input cannot be resumed)`];
}

/** What the operator may do with it. */
export const canCancel = ({ state, queued, shared }: Shown): boolean =>
  !shared && (state === 'enqueueing' || ((state === 'open' || state === 'interrupted') && queued > 0));
/** Rejections that nobody has discarded. */
export const hasRejections = ({ rejected, discarded = 0 }: Shown): boolean => rejected > discarded;
