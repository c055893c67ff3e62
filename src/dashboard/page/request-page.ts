/** The page of one request: its progress, its reasons with examples, its history, and what can be done with it. */
import {
  countsOf,
  hasRejections,
  nextSteps,
  percentOf,
  requestName,
  stateOf,
  timingOf,
  took,
} from '../text/request-words.js';
import type { RejectionExample, RequestDetail, Setup } from '../view.js';
import { get } from './act.js';
import { byId, cell, element, row, setText, table, theirs } from './dom.js';
import { clock, clockWithSeconds, count, counted } from './format.js';
import { heard, reachable, showHeadline, showState } from './headline.js';
import { exampleList } from './rejection-line.js';
import { createActions, type RequestActions } from './request-actions.js';
import { createBar } from './request-bar.js';

const EVERY_MS = 2_000;
const id = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
const url = `/api/requests/${encodeURIComponent(id)}`;
const bar = createBar();
let actions: RequestActions | undefined;
let readOnly = true;

async function read(): Promise<void> {
  if (document.hidden) return;
  try {
    const response = await fetch(url);
    const body = (await response.json()) as RequestDetail & { message?: string };
    if (response.ok) {
      heard(null);
      show(body);
    } else if (response.status === 404) {
      heard(null);
      showState({ tone: 'warn', text: body.message ?? 'There is no such request' });
    } else heard({ since: Date.now(), message: body.message ?? '' });
  } catch {
    reachable(false);
  }
}

function show(detail: RequestDetail): void {
  const { request } = detail;
  const { tone, text } = stateOf(request);
  const timing = timingOf(request, clock);
  showState({ tone, text: `${requestName(request)}: ${text}${timing && `, ${timing}`}` });
  byId('request').hidden = false;
  setText(
    byId('counts'),
    `${percentOf(request)} of ${counted(request.accepted, 'association')}: ${countsOf(request)}`,
  );
  bar.update(request);
  if (!actions) {
    actions = createActions(request, readOnly);
    byId('controls').append(actions.node);
  }
  actions.update(request);
  showReasons(detail);
  showHistory(detail);
  showFacts(detail);
  const steps = nextSteps(request);
  byId('steps-section').hidden = steps.length === 0;
  // a person may be copying a command
  if (steps.join('\n') === shownSteps) return;
  shownSteps = steps.join('\n');
  byId('steps').replaceChildren(...steps.map(step => element('li', {}, element('code', {}, theirs(step)))));
}
let shownSteps = '';

function showReasons({ request }: RequestDetail): void {
  byId('reasons-section').hidden = request.rejections.length === 0;
  // discarded ones are counted among the reasons, and have no example any more
  const shown = `${request.rejected} ${request.discarded ?? 0}`;
  if (shown === shownReasons) return;
  shownReasons = shown;
  const { wrap, body } = table(
    'Why associations of this request were rejected',
    [['Associations', 'number'], ['Why']],
    '',
  );
  for (const { category, message, count: n } of request.rejections)
    body.append(
      row(
        {},
        cell(undefined, 'number', count(n)),
        cell(
          undefined,
          undefined,
          element('span', { class: 'category' }, theirs(category)),
          ' ',
          theirs(message),
        ),
      ),
    );
  byId('reasons').replaceChildren(wrap);
  void showExamples(hasRejections(request));
}
let shownReasons = '';

async function showExamples(areThere: boolean): Promise<void> {
  const examples = areThere ? await get<RejectionExample[]>(`${url}/examples`) : [];
  byId('examples-section').hidden = !examples?.length;
  if (examples?.length) byId('examples').replaceChildren(exampleList(examples));
}

const WAYS_IN = { file: 'from a file', library: 'by the library', gateway: 'through the gateway' } as const;

/** What happened to it, one line an event. */
function showHistory({ request, record }: RequestDetail): void {
  const { enqueuedAt, firstAt, lastAt, doneAt, by, cancelledBy, state } = request;
  const events: [at: string | undefined, what: string][] = [
    [enqueuedAt, `enqueued${by ? ` by ${by}` : ''}, ${WAYS_IN[request.via]}`],
    [firstAt, 'first association decided'],
    [
      record.cancelledAt === undefined ? undefined : new Date(record.cancelledAt).toISOString(),
      `cancelled${cancelledBy ? ` by ${cancelledBy}` : ''}`,
    ],
    [
      lastAt === firstAt ? undefined : lastAt,
      doneAt ? 'last association decided' : 'latest association decided',
    ],
    [doneAt, state === 'cancelled' ? 'nothing of it is queued any more' : 'done'],
  ];
  const items = events
    .flatMap(([at, what]) => (at === undefined ? [] : [{ at, what }]))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map(({ at, what }) =>
      element(
        'li',
        {},
        element('time', { datetime: at }, clockWithSeconds(Date.parse(at))),
        ' ',
        theirs(what),
        at === enqueuedAt
          ? ''
          : element('span', { class: 'quiet' }, ` ${took(enqueuedAt, at)} after the start`),
      ),
    );
  byId('history').replaceChildren(...items);
}

function showFacts({ request, record }: RequestDetail): void {
  const { file, source, interrupted } = request;
  const facts: [string, string | undefined][] = [
    ['Id', request.id],
    ['Source', source],
    ['Jobs', count(record.jobs)],
    ['File', file && `${file.path}, ${count(file.bytes)} bytes`],
    ['Read up to', request.line === undefined ? undefined : `line ${count(request.line)}`],
    ['Refused lines', request.refusedLines > 0 ? count(request.refusedLines) : undefined],
    ['Discarded', request.discarded ? `${count(request.discarded)} of the rejected` : undefined],
    [
      'Shared',
      request.shared && 'several requests of one association share its job, so it cannot be cancelled',
    ],
    ['Interrupted', interrupted],
  ];
  byId('facts').replaceChildren(
    ...facts.flatMap(([name, value]) =>
      value === undefined ? [] : [element('dt', {}, name), element('dd', {}, theirs(value))],
    ),
  );
}

async function start(): Promise<void> {
  byId('bar').append(bar.node);
  const setup = await get<Setup>('/api/setup');
  readOnly = setup?.readOnly ?? true;
  byId('read-only').hidden = !readOnly;
  await read();
  setInterval(() => void read(), EVERY_MS);
  setInterval(showHeadline, 1_000);
  document.addEventListener('visibilitychange', () => void read());
}

void start();
