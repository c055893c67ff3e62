/** Wires the page: shows each part that the server sends. */
import { stateSentence } from '../text/state-sentence.js';
import type { Series, View } from '../view.js';
import { post, say } from './act.js';
import { followLayout, showCharts } from './charts.js';
import { byId, setText } from './dom.js';
import { clock } from './format.js';
import { heard, reachable, showHeadline, showState } from './headline.js';
import { showObjectPairs } from './object-pairs.js';
import { showRejections, startRejections } from './rejections.js';
import { showRequests, startRequests } from './requests.js';
import { startSearch } from './search.js';
import { showSteps } from './steps.js';
import { showTiles } from './tiles.js';
import { showWorkers } from './workers.js';

const view: Partial<View> = {};
let history: Series | undefined;
let range: 'hour' | 'day' = 'hour';

const PARTS: Readonly<Record<keyof View, () => void>> = {
  setup: showSetup,
  figures: showFigures,
  rejections: showAllRejections,
  objectPairs: showAllObjectPairs,
  requests: showAllRequests,
  workers: () => view.workers && showWorkers(view.workers),
  minutes: showMinutes,
  trouble: () => heard(view.trouble),
};

function connect(): void {
  const events = new EventSource('/api/events');
  for (const [part, show] of Object.entries(PARTS))
    events.addEventListener(part, event => {
      Object.assign(view, { [part]: JSON.parse((event as MessageEvent<string>).data) });
      heard();
      show();
      showFirstSteps();
    });
  events.onopen = () => reachable(true);
  events.onerror = () => reachable(false);
  setInterval(showHeadline, 1_000);
}

function showSetup(): void {
  const { setup } = view;
  if (!setup) return;
  setText(byId('account'), setup.account === 'default' ? '' : setup.account);
  byId('controls').hidden = setup.readOnly;
  byId('read-only').hidden = !setup.readOnly;
  setText(
    byId('footer'),
    `version ${setup.version}${setup.readOnly ? ', read-only' : ''}; times are yours, figures come every second`,
  );
}

function showFigures(): void {
  const { figures } = view;
  if (!figures) return;
  showState(stateSentence(figures.state, clock));
  setText(byId('pause'), figures.state.paused ? 'Resume' : 'Pause');
  showNotices('notices', figures.notices);
  showNotices('redis-notices', figures.redisNotices);
  showAllObjectPairs();
  showAllTiles();
}

function showNotices(id: string, notices: readonly string[]): void {
  setText(byId(id), notices.join('. '));
  byId(id).hidden = notices.length === 0;
}

function showAllRejections(): void {
  const { rejections, setup } = view;
  if (!rejections || !setup) return;
  showRejections(rejections, setup);
  showAllTiles();
}

function showAllRequests(): void {
  const { requests, setup } = view;
  if (requests && setup) showRequests(requests, setup);
}

function showAllObjectPairs(): void {
  const { figures, objectPairs } = view;
  if (figures && objectPairs) showObjectPairs(objectPairs, figures);
}

function showFirstSteps(): void {
  const { figures, rejections, requests, workers } = view;
  if (figures && rejections && requests && workers) showSteps({ figures, rejections, requests, workers });
}

function showAllTiles(): void {
  const { figures, rejections, minutes } = view;
  if (figures && rejections && minutes) showTiles({ figures, rejections, minutes });
}

/** The last two minutes come with every reading; the history is fetched again when a new step begins. */
function showMinutes(): void {
  showAllTiles();
  const { minutes } = view;
  if (!minutes) return;
  const newest = minutes.at.at(-1) ?? 0;
  const last = history?.at.at(-1) ?? 0;
  if (!history || newest >= last + history.stepSeconds) void fetchHistory();
  else drawHistory();
}

async function fetchHistory(): Promise<void> {
  try {
    const response = await fetch(`/api/history?range=${range}`);
    if (response.ok) history = (await response.json()) as Series;
    drawHistory();
  } catch {
    // the notice about the connection shows it
  }
}

function drawHistory(): void {
  const { figures, minutes } = view;
  if (!figures || !history) return;
  const merged = range === 'hour' && minutes ? withLatest(history, minutes) : history;
  showCharts(merged, figures.limits, figures.state.now / 1_000);
}

function withLatest(series: Series, latest: Series): Series {
  const merged = structuredClone(series);
  latest.at.forEach((time, from) => {
    const at = merged.at.indexOf(time);
    if (at < 0) return;
    for (const [name, column] of Object.entries(latest))
      if (Array.isArray(column))
        (merged[name as keyof Series] as (number | null)[])[at] = column[from] ?? null;
  });
  return merged;
}

byId<HTMLButtonElement>('pause').addEventListener('click', async event => {
  const paused = view.figures?.state.paused ?? false;
  const done = await post(
    `/api/${paused ? 'resume' : 'pause'}`,
    undefined,
    event.currentTarget as HTMLButtonElement,
  );
  if (done) say(paused ? 'Resumed.' : 'Paused: no worker fetches more; what is on its way is finished.');
});
for (const input of document.querySelectorAll<HTMLInputElement>('input[name="range"]'))
  input.addEventListener('change', () => {
    range = input.value === 'day' ? 'day' : 'hour';
    void fetchHistory();
  });
startRequests();
startRejections();
startSearch();
followLayout(drawHistory);
connect();
