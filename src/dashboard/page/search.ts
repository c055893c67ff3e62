/** The search for a record pair: where it is now, and what happened to it. */
import type { BatchSeen, Match, SearchEnd, SearchProgress } from '../view.js';
import { byId, element, setText, theirs } from './dom.js';
import { readEvents } from './event-reader.js';
import { answersText, clock, count, counted } from './format.js';
import { jobLink } from './rejection-line.js';

const FATES: Readonly<Record<Match['fate'], string>> = {
  queued: 'is in the queue, not decided yet',
  retrying: 'failed and will be tried again',
  rejected: 'was rejected',
  created: 'was created',
};
const PLACES: Readonly<Record<string, string>> = {
  wait: 'waiting',
  paused: 'waiting',
  prioritized: 'waiting, with priority',
  active: 'in the hands of a worker',
  delayed: 'set aside until its next attempt',
  failed: 'failed',
  completed: 'completed',
};

let searching: AbortController | undefined;

export function startSearch(): void {
  const form = byId<HTMLFormElement>('search-form');
  const [from, to] = [byId<HTMLInputElement>('search-from'), byId<HTMLInputElement>('search-to')];
  // "101 202", "101,202" or "101->202" pasted into the first field
  from.addEventListener('paste', event => {
    const both = event.clipboardData
      ?.getData('text')
      .trim()
      .match(/^(\S+?)\s*(?:->|→|[,;\s])\s*(\S+)$/);
    if (!both) return;
    event.preventDefault();
    from.value = both[1] ?? '';
    to.value = both[2] ?? '';
  });
  form.addEventListener('submit', event => {
    event.preventDefault();
    void search(from.value.trim(), to.value.trim());
  });
  byId('search-cancel').addEventListener('click', () => {
    end();
    setText(byId('search-status'), 'Stopped.');
  });
}

async function search(from: string, to: string): Promise<void> {
  end();
  const status = byId('search-status');
  const results = byId('search-results');
  results.replaceChildren();
  setText(status, 'Searching …');
  byId('search-cancel').hidden = false;
  const mine = new AbortController();
  searching = mine;
  let saidAt = 0;
  let said = 'The search broke off: the dashboard cannot be reached.';
  const on: Readonly<Record<string, (json: string) => void>> = {
    progress: json => {
      if (performance.now() - saidAt < 500) return; // a screen reader need not announce each slice
      saidAt = performance.now();
      const { looked, of } = JSON.parse(json) as SearchProgress;
      setText(status, `Searching … ${count(looked)} of ${counted(of, 'job')}`);
    },
    match: json => results.append(matchCard(JSON.parse(json) as Match, from, to)),
    end: json => {
      said = verdict(JSON.parse(json) as SearchEnd);
    },
    failure: json => {
      said = (JSON.parse(json) as { message: string }).message;
    },
  };
  const url = `/api/search?${new URLSearchParams({ from, to })}`;
  try {
    const refusal = await readEvents(url, (name, json) => on[name]?.(json), mine.signal);
    if (refusal) said = refusal.message;
  } catch {
    if (mine.signal.aborted) return; // stopped, or replaced by another search
  }
  end();
  setText(status, said);
}

function end(): void {
  searching?.abort();
  searching = undefined;
  byId('search-cancel').hidden = true;
}

function verdict({ looked, found, ms, keptCompleted, cutShort }: SearchEnd): string {
  const effort = `${counted(looked, 'job')} looked through in ${(ms / 1_000).toFixed(1)} s`;
  if (found > 0) return `Found ${counted(found, 'time')}${cutShort ? ', and perhaps more' : ''}; ${effort}.`;
  return (
    `Not found; ${effort}. It was never enqueued, or it was discarded, or it was created and its job is no longer kept: ` +
    `${counted(keptCompleted, 'completed job')} are kept, older ones are not. Only HubSpot knows whether the association exists.`
  );
}

function matchCard(match: Match, from: string, to: string): HTMLElement {
  const { jobId, place, fate, fromObjectType, toObjectType, types, source: who, requestId } = match;
  const facts = [
    `enqueued ${clock(match.enqueuedAt)}`,
    who && `by ${who}`,
    requestId && `request ${requestId}`,
    match.nextTryAt && `next attempt ${clock(match.nextTryAt)}`,
    match.finishedAt && `finished ${clock(match.finishedAt)}`,
  ].filter(Boolean);
  const whose = fate === 'rejected' ? '' : 'of its job: ';
  const errors = match.errors.map(({ at, category, message, correlationId }) =>
    element(
      'li',
      {},
      `${clock(Date.parse(at))}, ${whose}`,
      theirs(`${category ? `${category}: ` : ''}${message}`),
      ...(correlationId ? [' (correlation id ', theirs(correlationId), ')'] : []),
    ),
  );
  const batches = match.batches.map(batch => element('li', {}, batchText(batch)));
  return element(
    'article',
    { class: 'match', 'data-fate': fate },
    element(
      'h3',
      {},
      theirs(`${fromObjectType} ${from}`),
      ' → ',
      theirs(`${toObjectType} ${to}`),
      ` ${FATES[fate]}`,
    ),
    element(
      'p',
      {},
      theirs(types),
      '; job ',
      jobLink(jobId),
      ` is ${PLACES[place] ?? place}; `,
      theirs(facts.join(', ')),
    ),
    errors.length > 0 && element('ul', { 'aria-label': 'Errors' }, ...errors),
    batches.length > 0 &&
      element('p', { class: 'quiet' }, 'Its job was sent in these batches, the pair in one or more of them:'),
    batches.length > 0 && element('ul', { 'aria-label': 'Batches' }, ...batches),
  );
}

function batchText({ id, at, inputs, created, rejected, retry, held, answers }: BatchSeen): string {
  const outcome = Object.entries({ created, rejected, 'to retry': retry, held }).flatMap(([name, n]) =>
    n > 0 ? [`${count(n)} ${name}`] : [],
  );
  return `batch ${id}, ${clock(at)}: ${counted(inputs, 'input')}, ${outcome.join(', ')}; HubSpot answered ${answersText(answers)}`;
}
