/** The most important figures. */
import { short } from '../text/state-sentence.js';
import type { Figures, Rejections, Series } from '../view.js';
import { byId, element, setText } from './dom.js';
import { count, counted, duration } from './format.js';

type Tile = {
  label: string;
  value: string;
  note: string;
  tone?: 'warn' | 'bad' | undefined;
  /** share of a limit, 0…1 */
  share?: number | undefined;
};
type Shown = { figures: Figures; rejections: Rejections; minutes: Series };

const nodes = new Map<
  string,
  { tile: HTMLElement; value: HTMLElement; note: HTMLElement; bar: HTMLProgressElement }
>();

export function showTiles(shown: Shown): void {
  for (const tile of tiles(shown)) {
    const node = nodes.get(tile.label) ?? create(tile.label);
    setText(node.value, tile.value);
    setText(node.note, tile.note);
    node.tile.dataset.tone = tile.tone ?? '';
    node.bar.hidden = tile.share === undefined;
    node.bar.value = Math.min(1, tile.share ?? 0);
  }
}

function create(label: string) {
  const value = element('dd', { class: 'value' });
  const note = element('dd', { class: 'note' });
  const bar = element('progress', { max: '1', 'aria-label': `${label}, share used` });
  const tile = element(
    'div',
    { class: 'tile' },
    element('dt', {}, label),
    value,
    note,
    element('dd', {}, bar),
  );
  byId('tiles').append(tile);
  const node = { tile, value, note, bar };
  nodes.set(label, node);
  return node;
}

function* tiles({ figures, rejections, minutes }: Shown): Generator<Tile> {
  const { state, stats, discarded, limits } = figures;
  const { jobs, associations, calls, quota, oldestWaitingSeconds } = stats;
  const fill = minutes.fill.findLast(value => value !== null) ?? null;
  const queued = jobs.waiting + jobs.active + jobs.delayed;
  yield {
    label: 'Left',
    value: short(state.backlog),
    note:
      queued === 0 ? 'the queue is empty' : `in ${counted(queued, 'job')}; ${count(jobs.delayed)} to retry`,
  };
  yield {
    label: 'Per second',
    value: state.perSecond === null ? '–' : short(state.perSecond),
    note: state.perSecond === null ? 'known in some seconds' : 'decided, last seconds',
  };
  yield {
    label: 'Created',
    value: short(associations.created),
    note: `${count(associations.created)} in all`,
  };
  yield {
    label: 'Rejected',
    value: short(rejections.associations),
    note: [
      rejections.groups.length > 0 ? 'for you to decide' : 'nothing to decide',
      discarded > 0 && `${count(discarded)} discarded`,
      associations.retried > 0 && `${count(associations.retried)} retries`,
    ]
      .filter(Boolean)
      .join('; '),
    tone: rejections.associations > 0 ? 'bad' : undefined,
  };
  yield {
    label: 'Calls in window',
    value: count(quota.usedInWindow),
    note: `of ${count(quota.limit)} in ${duration(quota.windowMs / 1_000)}; ${count(calls.rateLimited)} refused (429)`,
    share: quota.usedInWindow / quota.limit,
  };
  const today = quota.dailyLimit > 0 ? quota.usedToday / quota.dailyLimit : undefined;
  yield {
    label: 'Calls today',
    value: count(quota.usedToday),
    note: quota.dailyLimit > 0 ? `of ${count(quota.dailyLimit)}` : 'no daily limit',
    share: today,
    tone: (today ?? 0) > 0.9 ? 'warn' : undefined,
  };
  yield {
    label: 'Batch fill',
    value: fill === null ? '–' : count(fill),
    note: `of ${count(limits.batchMaxInputs)} inputs, last minute`,
    share: fill === null ? undefined : fill / limits.batchMaxInputs,
  };
  yield {
    label: 'Oldest waiting',
    value: oldestWaitingSeconds === null ? '–' : duration(oldestWaitingSeconds),
    note: oldestWaitingSeconds === null ? 'nothing waits' : 'since it was enqueued',
  };
}
