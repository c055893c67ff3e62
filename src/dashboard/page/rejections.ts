/** The groups of rejections, with the actions for each. */
import { heldText, sizeText, totalText } from '../text/rejection-words.js';
import type { Figures, RejectionGroup, Rejections, Retried, Setup } from '../view.js';
import { post, say } from './act.js';
import { byId, cell, element, row, setText, table, theirs } from './dom.js';
import { clock, count, counted } from './format.js';

type Discarded = { associations: number; jobsRemoved: number; jobsShrunk: number; gone: number };

const rows = new Map<string, { node: HTMLElement; json: string }>();
let body: HTMLElement | undefined;

export function showRejections(rejections: Rejections, setup: Setup): void {
  const { groups, associations, more } = rejections;
  const rest = more > 0 ? `, the largest ${groups.length} of ${count(groups.length + more)} kinds` : '';
  setText(
    byId('rejections-total'),
    groups.length === 0
      ? ''
      : [totalText(associations, groups) + rest, 'nothing is lost'].filter(Boolean).join('; '),
  );
  const host = byId('rejection-groups');
  if (groups.length === 0) {
    rows.clear();
    body = undefined;
    host.replaceChildren(
      element('p', { class: 'empty' }, 'Nothing is rejected: no decision is waiting for you.'),
    );
    return;
  }
  if (!body) {
    const made = table('Rejected associations by error', [
      ['Associations', 'number'],
      ['Why'], // HubSpot's words, or ours if HubSpot was never asked
      ['Object pair'],
      ['Seen'],
      [''],
    ]);
    body = made.body;
    host.replaceChildren(made.wrap);
  }
  update(body, groups, setup);
}

/** Replaces only changed rows, so that a button keeps the focus. */
function update(into: HTMLElement, groups: readonly RejectionGroup[], setup: Setup): void {
  const known = new Set(groups.map(({ id }) => id));
  for (const [id, { node }] of rows)
    if (!known.has(id)) {
      node.remove();
      rows.delete(id);
    }
  groups.forEach((group, at) => {
    const json = JSON.stringify(group);
    const before = rows.get(group.id);
    if (before && before.json !== json && before.node.contains(document.activeElement)) {
      setText(before.node.querySelector('td.number') ?? before.node, sizeText(group));
      return;
    }
    const node = before?.json === json ? before.node : groupRow(group, setup);
    if (before && before.node !== node) before.node.replaceWith(node);
    rows.set(group.id, { node, json });
    if (into.children[at] !== node && !node.contains(document.activeElement))
      into.insertBefore(node, into.children[at] ?? null);
  });
}

function groupRow(group: RejectionGroup, setup: Setup): HTMLElement {
  const { category, message, from, to, jobs, first, last, example } = group;
  const { pair, error, jobId } = example;
  const correlation = error.correlationId ? [', correlation id ', theirs(error.correlationId)] : [];
  const which = pair ? [' ', theirs(pair[0]), ' → ', theirs(pair[1])] : [];
  // the group's words omit ids, and the text in the place of an id often explains the error
  const said = error.message === message ? [] : [': ', theirs(error.message)];
  return row(
    { 'data-group': group.id },
    cell(undefined, 'number', sizeText(group)),
    cell(
      undefined,
      undefined,
      element('span', { class: 'category' }, theirs(category)),
      element('span', { class: 'words' }, theirs(message)),
      element(
        'span',
        { class: 'example' },
        'for example',
        ...which,
        ', job ',
        jobLink(jobId),
        ...correlation,
        ...said,
      ),
    ),
    cell(
      'Object pair',
      undefined,
      element('span', {}, theirs(from), ' → ', theirs(to)),
      element('span', { class: 'example' }, counted(jobs, 'job')),
    ),
    cell('Seen', undefined, times(first, last)),
    cell(undefined, 'actions', buttons(group, setup)),
  );
}

export const jobLink = (id: string): HTMLElement =>
  element('a', { href: `/queues/queue/hubspot-associations/${encodeURIComponent(id)}` }, theirs(id));

function times(first: number, last: number): HTMLElement {
  const time = (ms: number) => element('time', { datetime: new Date(ms).toISOString() }, clock(ms));
  if (clock(first) === clock(last)) return element('span', {}, time(last));
  return element('span', {}, time(first), ' – ', time(last));
}

function buttons(group: RejectionGroup, { readOnly }: Setup): HTMLElement {
  const what = `${group.category}: ${group.message}`;
  const href = `/api/rejections/${group.id}/export`;
  const exporting = element(
    'a',
    { class: 'button', href, download: '', 'aria-label': `Export ${what}` },
    'Export',
  );
  if (readOnly) return element('div', { class: 'buttons' }, exporting);
  const retry = element('button', { type: 'button', 'aria-label': `Retry ${what}` }, 'Retry');
  retry.addEventListener('click', () => void retryGroup(group, retry));
  const discard = element(
    'button',
    { type: 'button', class: 'danger', 'aria-label': `Discard ${what}` },
    'Discard',
  );
  discard.addEventListener('click', () => void discardGroup(group, discard));
  return element('div', { class: 'buttons' }, retry, exporting, discard);
}

async function retryGroup({ id, jobs, category }: RejectionGroup, button: HTMLButtonElement): Promise<void> {
  const done = await post<Retried>(`/api/rejections/${id}/retry`, button);
  if (!done) return;
  const alongside =
    done.alongside > 0
      ? ` ${counted(done.alongside, 'association')} with other errors came along: a job is retried as a whole.`
      : '';
  const later =
    jobs > done.jobs
      ? ` ${counted(jobs - done.jobs, 'job')} of this kind were not put back: still at work, or already put back.`
      : '';
  const what = heldText({ ...done, category });
  const inJobs = done.associations > 0 ? ` in ${counted(done.jobs, 'job')}` : '';
  say(`Put back to be tried again: ${what}${inJobs}.${alongside}${later}`);
}

async function discardGroup(group: RejectionGroup, button: HTMLButtonElement): Promise<void> {
  const { id, category, associations, message } = group;
  const dialog = byId<HTMLDialogElement>('confirm');
  setText(
    byId('confirm-text'),
    `${heldText(group)} (${message}) will ${associations > 0 ? 'not be created, and stay counted as rejected' : 'be removed'}. Export keeps a copy.`,
  );
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise(resolve => dialog.addEventListener('close', resolve, { once: true }));
  if (dialog.returnValue !== 'discard') return;
  const done = await post<Discarded>(`/api/rejections/${id}/discard`, button);
  if (!done) return;
  const { jobsRemoved, jobsShrunk } = done;
  say(
    `Discarded ${heldText({ category, associations: done.associations, jobs: jobsRemoved + jobsShrunk })}.`,
  );
}

export function showHeldPairs({ heldPairs }: Figures): void {
  const host = byId('held-pairs');
  if (heldPairs.length === 0) {
    host.replaceChildren();
    return;
  }
  const { wrap, body: into } = table('Held object pairs', [['Held object pair'], ['Until'], ['Why']]);
  for (const { objectPair, until, reason } of heldPairs)
    into.append(
      row(
        {},
        cell(undefined, undefined, theirs(objectPair)),
        cell('Until', undefined, clock(until)),
        cell('Why', undefined, theirs(reason), '; nothing is lost'),
      ),
    );
  host.replaceChildren(wrap);
}
