/** The list of rejections: one line a group, with filter, fold, sort and actions on many at once. */
import { totalText } from '../text/rejection-words.js';
import type { RejectionGroup, Rejections, Setup } from '../view.js';
import { get } from './act.js';
import { byId, cell, element, reconcile, row, setText, table, theirs } from './dom.js';
import { count, counted } from './format.js';
import { actionButtons } from './rejection-actions.js';
import { createLine, type Line } from './rejection-line.js';
import { type Arrangement, arrange, FOLDS, type Section, SORTS } from './rejection-list.js';

/** Lines that are shown before the operator asks for more, and how many come then. */
const [FIRST, MORE] = [20, 100];
/** While there are more groups than a reading has, all are fetched at most this often. */
const FETCH_MS = 3_000;

let groups: readonly RejectionGroup[] = [];
let readOnly = true;
let body: HTMLElement | undefined;
let most: number = FIRST;
const arrangement: Arrangement = { text: '', sort: 'associations', fold: 'nothing' };
const lines = new Map<string, Line>();
const chosen = new Set<string>();
const opened = new Set<string>();
const unfolded = new Set<string>();

export function showRejections(rejections: Rejections, setup: Setup): void {
  readOnly = setup.readOnly;
  const total = totalText(rejections.associations, rejections.groups);
  setText(byId('rejections-total'), total && `${total}; nothing is lost`);
  if (rejections.more > 0) void fetchAll();
  else showGroups(rejections.groups);
}

let fetchedAt = Number.NEGATIVE_INFINITY;
let later: ReturnType<typeof setTimeout> | undefined;

async function fetchAll(): Promise<void> {
  const wait = fetchedAt + FETCH_MS - performance.now();
  clearTimeout(later);
  if (wait > 0) {
    later = setTimeout(() => void fetchAll(), wait);
    return;
  }
  fetchedAt = performance.now();
  const all = await get<Rejections>('/api/rejections');
  if (all) showGroups(all.groups);
}

function showGroups(now: readonly RejectionGroup[]): void {
  groups = now;
  const known = new Set(now.map(({ id }) => id));
  for (const id of lines.keys()) if (!known.has(id)) lines.delete(id);
  for (const id of chosen) if (!known.has(id)) chosen.delete(id);
  for (const group of now) lines.get(group.id)?.update(group);
  render();
}

function render(): void {
  const host = byId('rejection-groups');
  byId('rejection-tools').hidden = groups.length === 0;
  if (groups.length === 0) {
    if (body?.contains(document.activeElement)) byId('rejections').focus();
    body = undefined;
    host.replaceChildren(
      element('p', { class: 'empty' }, 'Nothing is rejected: no decision is waiting for you.'),
    );
    showChosen();
    return;
  }
  if (!body) {
    // HubSpot's words, or ours if HubSpot was never asked
    const heads = [['', 'check'], ['Associations', 'number'], ['Why'], ['Object pair'], ['Latest']] as const;
    const made = table('Rejected associations by error', heads, 'lines');
    body = made.body;
    host.replaceChildren(made.wrap);
  }
  const sections = arrange(groups, arrangement);
  reconcile(body, [...rowsOf(sections)], byId('rejections'));
  showChosen();
  const found = sections.reduce((sum, section) => sum + section.groups.length, 0);
  setText(
    byId('rejections-found'),
    arrangement.text ? `${count(found)} of ${counted(groups.length, 'kind')}` : counted(found, 'kind'),
  );
  const more = byId('rejections-more');
  more.hidden = arrangement.fold !== 'nothing' || found <= most;
  setText(more, `Show ${count(Math.min(MORE, found - most))} more of ${count(found)}`);
}

function* rowsOf(sections: readonly Section[]): Generator<HTMLElement> {
  for (const section of sections) {
    const isFoldable = arrangement.fold !== 'nothing';
    if (isFoldable) yield foldRow(section);
    if (isFoldable && !unfolded.has(section.title)) continue;
    for (const group of isFoldable ? section.groups : section.groups.slice(0, most)) {
      const line = lines.get(group.id) ?? newLine(group);
      line.checkbox.checked = chosen.has(group.id);
      yield* line.nodes;
    }
  }
}

function newLine(group: RejectionGroup): Line {
  const line = createLine(group, readOnly, opened, isChosen => {
    if (isChosen) chosen.add(group.id);
    else chosen.delete(group.id);
    showChosen();
  });
  lines.set(group.id, line);
  return line;
}

type Fold = { node: HTMLElement; label: HTMLElement; opener: HTMLElement; checkbox: HTMLInputElement };
const folds = new Map<string, Fold>();

function foldRow({ title, associations, groups: inside }: Section): HTMLElement {
  const key = `${arrangement.fold} ${title}`;
  const fold = folds.get(key) ?? newFold(title);
  folds.set(key, fold);
  fold.opener.setAttribute('aria-expanded', String(unfolded.has(title)));
  fold.checkbox.checked = inside.every(({ id }) => chosen.has(id));
  setText(fold.label, `${counted(associations, 'association')} of ${counted(inside.length, 'kind')}`);
  return fold.node;
}

function newFold(title: string): Fold {
  const label = element('span', { class: 'quiet' });
  const checkbox = element('input', { type: 'checkbox', 'aria-label': `Select all of ${title}` });
  checkbox.addEventListener('change', () => {
    const section = arrange(groups, arrangement).find(each => each.title === title);
    choose(section?.groups ?? [], checkbox.checked);
  });
  const name = element('span', { class: 'category' }, theirs(title));
  const opener = element('button', { type: 'button', class: 'opener' }, name, ' ', label);
  opener.addEventListener('click', () => {
    if (!unfolded.delete(title)) unfolded.add(title);
    render();
  });
  const what = element('td', { role: 'cell', colspan: '4' }, opener);
  return { node: row({ class: 'fold' }, cell(undefined, 'check', checkbox), what), label, opener, checkbox };
}

function choose(some: readonly RejectionGroup[], isChosen: boolean): void {
  for (const { id } of some)
    if (isChosen) chosen.add(id);
    else chosen.delete(id);
  render();
}

const matching = (): RejectionGroup[] => arrange(groups, arrangement).flatMap(section => section.groups);
const chosenGroups = (): RejectionGroup[] => groups.filter(({ id }) => chosen.has(id));

/** Shows what is selected, and the actions for it. */
function showChosen(): void {
  const bar = byId('rejections-chosen');
  const selected = chosenGroups();
  const wasHidden = bar.hidden;
  bar.hidden = selected.length === 0;
  const all = byId<HTMLInputElement>('rejections-all');
  all.checked = matching().length > 0 && matching().every(({ id }) => chosen.has(id));
  all.indeterminate = !all.checked && selected.length > 0;
  if (bar.hidden) return;
  if (wasHidden) byId('rejections-actions').replaceChildren(...actionButtons(chosenGroups, readOnly));
  const associations = selected.reduce((sum, group) => sum + group.associations, 0);
  setText(
    byId('rejections-chosen-text'),
    `${counted(selected.length, 'kind')} selected, ${counted(associations, 'association')}`,
  );
}

export function startRejections(): void {
  const filter = byId<HTMLInputElement>('rejections-filter');
  filter.addEventListener('input', () => {
    arrangement.text = filter.value;
    render();
  });
  const choice = <T extends string>(id: string, known: readonly T[], use: (value: T) => void) =>
    byId<HTMLSelectElement>(id).addEventListener('change', ({ currentTarget }) => {
      const value = known.find(each => each === (currentTarget as HTMLSelectElement).value);
      if (value) use(value);
      render();
    });
  choice('rejections-sort', SORTS, sort => {
    arrangement.sort = sort;
  });
  choice('rejections-fold', FOLDS, fold => {
    arrangement.fold = fold;
  });
  byId('rejections-all').addEventListener('change', ({ currentTarget }) => {
    choose(matching(), (currentTarget as HTMLInputElement).checked);
  });
  byId('rejections-none').addEventListener('click', () => {
    chosen.clear();
    render();
    byId('rejections-all').focus();
  });
  byId('rejections-more').addEventListener('click', () => {
    most += MORE;
    render();
  });
}
