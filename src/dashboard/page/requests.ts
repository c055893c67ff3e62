/** The list of requests: those that have not ended, then the latest; older ones when the operator asks for them. */
import { countsOf, percentOf, requestName, stateOf, timingOf } from '../text/request-words.js';
import type { RequestLine, Requests, Setup } from '../view.js';
import { get } from './act.js';
import { byId, cell, element, reconcile, row, setText, table, theirs } from './dom.js';
import { clock, counted } from './format.js';
import { createActions } from './request-actions.js';
import { createBar } from './request-bar.js';

/** Requests that are shown before the operator asks for more, and how many come then. */
const [FIRST, MORE] = [10, 50];
/** A list in one state is fetched again at most this often. */
const FETCH_MS = 3_000;

type Row = { readonly node: HTMLElement; update(request: RequestLine): void };
type Page = { requests: readonly RequestLine[]; after?: string };

let latest: Requests = { requests: [], total: 0 };
let readOnly = true;
let body: HTMLElement | undefined;
const filter = { state: '', text: '' };
/** '' = everything is loaded; undefined = none of the older ones is */
let olderAfter: string | undefined;
/** the first page in the chosen state; undefined: all states, which the server sends every second */
let inState: Page | undefined;
let most: number = FIRST;
let older: RequestLine[] = [];
const rows = new Map<string, Row>();

export function showRequests(requests: Requests, setup: Setup): void {
  readOnly = setup.readOnly;
  latest = requests;
  if (filter.state !== '') void fetchState();
  render();
}

let fetchedAt = Number.NEGATIVE_INFINITY;

async function fetchState(): Promise<void> {
  if (performance.now() < fetchedAt + FETCH_MS) return; // the next reading asks again
  fetchedAt = performance.now();
  const { state } = filter;
  const page = await get<Page>(`/api/requests?${new URLSearchParams({ state })}`);
  if (!page || filter.state !== state) return;
  inState = page;
  render();
}

/** Shows more of those that are loaded, and loads older ones when there are no more. */
async function showMore(): Promise<void> {
  if (isLoading) return; // a second press would load the same page again
  most += MORE;
  const after = nextAfter();
  if (after !== undefined && loaded().length < most) {
    isLoading = true;
    const { state } = filter;
    const page = await get<Page>(`/api/requests?${new URLSearchParams({ state, after })}`);
    isLoading = false;
    if (page && filter.state === state) {
      older.push(...page.requests);
      olderAfter = page.after ?? '';
    }
  }
  render();
}
let isLoading = false;

/** @returns the last request that is loaded, if older ones may exist */
const nextAfter = (): string | undefined =>
  olderAfter === undefined ? firstPage().after : olderAfter || undefined;
const firstPage = (): Page => (filter.state === '' ? latest : (inState ?? { requests: [] }));

function loaded(): RequestLine[] {
  const all = new Map(firstPage().requests.map(request => [request.id, request]));
  for (const request of older) if (!all.has(request.id)) all.set(request.id, request);
  return [...all.values()];
}

function render(): void {
  const host = byId('request-list');
  const { total } = latest;
  setText(byId('requests-total'), total > 0 ? counted(total, 'request') : '');
  byId('request-tools').hidden = total === 0;
  const all = loaded();
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = all.filter(request => words.every(word => saidOf(request).includes(word)));
  byId('requests-more').hidden = wanted.length <= most && nextAfter() === undefined;
  setText(byId('requests-found'), words.length > 0 ? `${wanted.length} of ${all.length} loaded` : '');
  if (wanted.length === 0) {
    if (body?.contains(document.activeElement)) byId('requests').focus();
    body = undefined;
    const text =
      total === 0
        ? 'No request yet: a file, a call of the library or of the gateway appears here.'
        : 'No such request is loaded.';
    host.replaceChildren(element('p', { class: 'empty' }, text));
    return;
  }
  if (!body) {
    const made = table(
      'Requests',
      [['Request'], ['State'], ['Progress'], ['Enqueued'], ['']],
      'cards requests',
    );
    body = made.body;
    host.replaceChildren(made.wrap);
  }
  const known = new Set(all.map(({ id }) => id));
  for (const id of rows.keys()) if (!known.has(id)) rows.delete(id);
  const nodes = wanted.slice(0, most).map(request => {
    const line = rows.get(request.id) ?? newRow(request);
    rows.set(request.id, line);
    line.update(request);
    return line.node;
  });
  reconcile(body, nodes, byId('requests'));
}

const saidOf = ({ id, name, source, by, via }: RequestLine): string =>
  [id, name, source, by, via].filter(Boolean).join(' ').toLowerCase();

function newRow(first: RequestLine): Row {
  const { id, via, by, source } = first;
  const origin = [via, by, source && `source ${source}`].filter(Boolean).join(' · ');
  const badge = element('span', { class: 'badge' });
  const timing = element('span', { class: 'example' });
  const counts = element('span', { class: 'counts' });
  const bar = createBar();
  const actions = createActions(first, readOnly);
  const node = row(
    { 'data-request': id },
    cell(
      undefined,
      'request',
      element('a', { href: `/requests/${encodeURIComponent(id)}` }, theirs(requestName(first))),
      element('span', { class: 'example' }, theirs(origin)),
    ),
    cell(undefined, 'nowrap', badge),
    cell(undefined, 'progress', counts, bar.node, timing),
    cell('Enqueued', 'nowrap', clock(Date.parse(first.enqueuedAt))),
    cell(undefined, 'actions', actions.node),
  );
  return {
    node,
    update(request) {
      const state = stateOf(request);
      badge.dataset.tone = state.tone;
      setText(badge, state.text);
      setText(
        counts,
        `${percentOf(request)} of ${counted(request.accepted, 'association')}: ${countsOf(request)}`,
      );
      setText(timing, timingOf(request, clock));
      bar.update(request);
      actions.update(request);
    },
  };
}

export function startRequests(): void {
  byId<HTMLSelectElement>('requests-state').addEventListener('change', ({ currentTarget }) => {
    filter.state = (currentTarget as HTMLSelectElement).value;
    older = [];
    most = FIRST;
    olderAfter = undefined;
    inState = undefined;
    fetchedAt = Number.NEGATIVE_INFINITY;
    if (filter.state !== '') void fetchState();
    render();
  });
  const text = byId<HTMLInputElement>('requests-filter');
  text.addEventListener('input', () => {
    filter.text = text.value;
    render();
  });
  byId('requests-more').addEventListener('click', () => void showMore());
}
