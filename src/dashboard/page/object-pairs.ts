/** The table of object pairs: what became of each in the last hour, and which are held, until when and why. */
import type { Figures, ObjectPair, ObjectPairs } from '../view.js';
import { byId, cell, element, row, setText, table, theirs } from './dom.js';
import { clock, count } from './format.js';

type Held = Figures['heldPairs'][number];

const COLUMNS = [
  ['Object pair'],
  ['State'],
  ['Created', 'number'],
  ['Rejected', 'number'],
  ['To retry', 'number'],
  ['Held', 'number'],
  ['Batches', 'number'],
  ['Mean inputs', 'number'],
  ['Last sent'],
] as const;

let shown = '';

export function showObjectPairs({ pairs, since }: ObjectPairs, { heldPairs }: Figures): void {
  const now = JSON.stringify([pairs, heldPairs]);
  if (now === shown) return;
  shown = now;
  byId('object-pairs').hidden = pairs.length + heldPairs.length === 0;
  setText(byId('object-pairs-since'), since === null ? '' : `what was sent since ${clock(since)}`);
  const { wrap, body } = table('Object pairs', COLUMNS, 'cards pairs');
  const seen = new Map(pairs.map(pair => [pair.objectPair, pair]));
  const heldNames = heldPairs.map(({ objectPair }) => nameOf(objectPair));
  for (const name of new Set([...heldNames, ...seen.keys()]))
    body.append(
      pairRow(
        name,
        seen.get(name),
        heldPairs.filter(held => nameOf(held.objectPair) === name),
      ),
    );
  byId('object-pairs-table').replaceChildren(wrap);
}

/** `contacts/companies` of `contacts/companies HUBSPOT_DEFINED:279` */
const nameOf = (objectPair: string): string => objectPair.split(' ', 1)[0] ?? '';
const titleOf = (objectPair: string): string => objectPair.replace('/', ' → ');

function pairRow(name: string, pair: ObjectPair | undefined, held: readonly Held[]): HTMLElement {
  const number = (label: string, n: number | undefined) =>
    cell(label, 'number', n === undefined ? '–' : count(n));
  return row(
    { 'data-held': held.length > 0 },
    cell(undefined, 'pair', theirs(titleOf(name))),
    cell(undefined, 'state-of', ...(held.length > 0 ? held.map(heldText) : ['not held'])),
    number('Created', pair?.created),
    number('Rejected', pair?.rejected),
    number('To retry', pair?.retried),
    number('Held', pair?.held),
    number('Batches', pair?.batches),
    number('Mean inputs', pair && pair.inputs / pair.batches),
    cell('Last sent', 'nowrap', pair ? clock(pair.lastAt) : '–'),
  );
}

function heldText({ objectPair, until, reason }: Held): HTMLElement {
  const types = objectPair.split(' ').slice(1).join(' ');
  return element(
    'p',
    { class: 'held' },
    element('span', { class: 'badge' }, `held until ${clock(until)}`),
    ' ',
    ...(types ? [theirs(types), ': '] : []),
    theirs(reason),
    '; nothing is lost',
  );
}
