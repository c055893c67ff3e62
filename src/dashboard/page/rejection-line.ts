/** One group of rejections as a line of the list, and its details, which are read when the line is opened. */
import { sizeText } from '../text/rejection-words.js';
import type { RejectionDetail, RejectionExample, RejectionGroup } from '../view.js';
import { get } from './act.js';
import { cell, element, row, setText, theirs } from './dom.js';
import { clock, counted } from './format.js';
import { actionButtons } from './rejection-actions.js';

export type Line = {
  readonly nodes: readonly [line: HTMLElement, details: HTMLElement];
  readonly checkbox: HTMLInputElement;
  update(group: RejectionGroup): void;
};

/** @param opened ids of the groups whose details are shown; a group that is retried and rejected again is still in it */
export function createLine(
  first: RejectionGroup,
  readOnly: boolean,
  opened: Set<string>,
  onChoose: (chosen: boolean) => void,
): Line {
  let group = first;
  const { id, category, message, from, to } = first;
  const checkbox = element('input', { type: 'checkbox', 'aria-label': `Select ${category}: ${message}` });
  checkbox.addEventListener('change', () => onChoose(checkbox.checked));
  const size = cell(undefined, 'number size');
  const seen = element('time');
  const examples = element('div', { class: 'examples' }, element('p', { class: 'quiet' }, 'Reading …'));
  const facts = element('p', { class: 'quiet' });
  const opener = element(
    'button',
    { type: 'button', class: 'opener', 'aria-controls': `details-${id}` },
    element('span', { class: 'category' }, theirs(category)),
    ' ',
    element('span', { class: 'words' }, theirs(message)),
  );
  const line = row(
    { 'data-group': id, class: 'line' },
    cell(undefined, 'check', checkbox),
    size,
    cell(undefined, 'what', opener),
    cell(undefined, 'pair', theirs(from), ' → ', theirs(to)),
    cell(undefined, 'seen', seen),
  );
  const details = row(
    { id: `details-${id}`, class: 'details' },
    element(
      'td',
      { role: 'cell', colspan: '5' },
      element('p', { class: 'said' }, theirs(message)),
      facts,
      examples,
      element('div', { class: 'buttons' }, ...actionButtons(() => [group], readOnly)),
    ),
  );
  let shown = '';
  const read = async () => {
    shown = JSON.stringify(group);
    const detail = await get<RejectionDetail>(`/api/rejections/${id}`);
    if (detail && !examples.contains(document.activeElement))
      examples.replaceChildren(exampleList(detail.examples, message));
  };
  const show = () => {
    details.hidden = !opened.has(id);
    opener.setAttribute('aria-expanded', String(!details.hidden));
    if (!details.hidden) void read();
  };
  opener.addEventListener('click', () => {
    if (!opened.delete(id)) opened.add(id);
    show();
  });
  const update = (now: RejectionGroup) => {
    group = now;
    setText(size, sizeText(now));
    setText(seen, clock(now.last));
    seen.setAttribute('datetime', new Date(now.last).toISOString());
    setText(facts, factsOf(now));
    if (!details.hidden && JSON.stringify(now) !== shown) void read();
  };
  show();
  update(first);
  return { nodes: [line, details], checkbox, update };
}

function factsOf({ from, to, jobs, first, last }: RejectionGroup): string {
  const when = clock(first) === clock(last) ? clock(last) : `${clock(first)} – ${clock(last)}`;
  return `${from} → ${to} · ${counted(jobs, 'job')} · ${when}`;
}

export const jobLink = (id: string): HTMLElement =>
  element('a', { href: `/queues/queue/hubspot-associations/${encodeURIComponent(id)}` }, theirs(id));

/** @param known words that need not be repeated; HubSpot's complete message often explains what an id was */
export function exampleList(examples: readonly RejectionExample[], known = ''): HTMLElement {
  const items = examples.map(({ jobId, pair, error }) =>
    element(
      'li',
      {},
      ...(pair ? [theirs(pair[0]), ' → ', theirs(pair[1])] : []),
      ...(error.message === known ? [] : [pair ? ': ' : '', theirs(error.message)]),
      element(
        'span',
        { class: 'quiet' },
        ' job ',
        jobLink(jobId),
        ...(error.correlationId ? [', correlation id ', theirs(error.correlationId)] : []),
      ),
    ),
  );
  return element('ul', { 'aria-label': 'Examples' }, ...items);
}
