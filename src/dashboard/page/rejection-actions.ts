/** What an operator does with some groups of rejections: retry, export, discard. */
import { heldText } from '../text/rejection-words.js';
import type { Discarded, RejectionGroup, Retried } from '../view.js';
import { post, say } from './act.js';
import { confirmed } from './confirm.js';
import { element } from './dom.js';
import { counted } from './format.js';

/** @param groups asked for when a button is pressed, because a list changes every second */
export function actionButtons(groups: () => readonly RejectionGroup[], readOnly: boolean): HTMLElement[] {
  const exporting = element('a', { class: 'button', href: '#', download: '' }, 'Export');
  const aim = () => exporting.setAttribute('href', exportHref(groups()));
  for (const moment of ['pointerdown', 'focus', 'click']) exporting.addEventListener(moment, aim);
  aim();
  if (readOnly) return [exporting];
  const retry = element('button', { type: 'button' }, 'Retry');
  retry.addEventListener('click', () => void retryGroups(groups(), retry));
  const discard = element('button', { type: 'button', class: 'danger' }, 'Discard');
  discard.addEventListener('click', () => void discardGroups(groups(), discard));
  return [retry, exporting, discard];
}

const idsOf = (groups: readonly RejectionGroup[]): string[] => groups.map(({ id }) => id);
const exportHref = (groups: readonly RejectionGroup[]): string =>
  `/api/rejections/export?groups=${idsOf(groups).join(',')}`;

async function retryGroups(groups: readonly RejectionGroup[], button: HTMLButtonElement): Promise<void> {
  const done = await post<Retried>('/api/rejections/retry', { groups: idsOf(groups) }, button);
  if (done) say(retriedText(done, groups));
}

/** Pure. @param groups as they were when they were retried */
export function retriedText(done: Retried, groups: readonly RejectionGroup[]): string {
  const alongside =
    done.alongside > 0
      ? ` ${counted(done.alongside, 'association')} with other errors came along: a job is retried as a whole.`
      : '';
  // a job may belong to several groups
  const left = groups.length === 1 ? (groups[0]?.jobs ?? 0) - done.jobs : 0;
  const later =
    left > 0
      ? ` ${counted(left, 'job')} of this kind were not put back: still at work, or already put back.`
      : '';
  const what = heldText({ ...done, category: categoryOf(groups) });
  const inJobs = done.associations > 0 ? ` in ${counted(done.jobs, 'job')}` : '';
  return `Put back to be tried again: ${what}${inJobs}.${alongside}${later}`;
}

async function discardGroups(groups: readonly RejectionGroup[], button: HTMLButtonElement): Promise<void> {
  const [only] = groups;
  const associations = sum(groups.map(group => group.associations));
  const held = { category: categoryOf(groups), associations, jobs: sum(groups.map(({ jobs }) => jobs)) };
  const which = groups.length === 1 ? only?.message : `${groups.length} kinds`;
  const fate = associations > 0 ? 'not be created, and stay counted as rejected' : 'be removed';
  const text = `${heldText(held)} (${which}) will ${fate}. Export keeps a copy.`;
  if (!(await confirmed('Discard for good?', text, 'Discard'))) return;
  const done = await post<Discarded>('/api/rejections/discard', { groups: idsOf(groups) }, button);
  if (!done) return;
  const jobs = done.jobsRemoved + done.jobsShrunk;
  say(`Discarded ${heldText({ category: held.category, associations: done.associations, jobs })}.`);
}

/** The category of all of them; '' if they differ. */
const categoryOf = (groups: readonly RejectionGroup[]): string =>
  groups.every(({ category }) => category === groups[0]?.category) ? (groups[0]?.category ?? '') : '';
const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
