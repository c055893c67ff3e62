/** The table of HubSpot's own association types: its shape, and values that are known from elsewhere. */
import { describe, expect, it } from '@jest/globals';
import { STANDARD_TYPES } from '../../../../src/shared/contract/association-types.js';
import { objectTypeId } from '../../../../src/shared/contract/object-types.js';
import {
  objectPairOf,
  standardDefault,
  standardHome,
  standardTypes,
} from '../../../../src/shared/contract/standard-types.js';

const cells = Object.entries(STANDARD_TYPES).flatMap(([from, row]) =>
  row.split(', ').map(cell => ({ from, cell })),
);
const ids = cells.flatMap(({ cell }) => cell.split(' ').slice(1).map(Number.parseFloat));
const defaultOf = (from: string, to: string) => standardDefault(objectPairOf(from, to))?.associationTypeId;

describe('the table of standard types', () => {
  it('has 410 types, each once', () => {
    expect(ids).toHaveLength(410);
    expect(new Set(ids).size).toBe(410);
    expect(ids.every(id => Number.isInteger(id) && id > 0)).toBe(true);
  });

  it('gives every object pair and direction its unlabelled type first, then those with a label', () => {
    for (const { cell } of cells) expect(cell).toMatch(/^[a-z_]+ \d+( \d+=[A-Z][A-Za-z_]+)*$/);
    const pairs = cells.map(({ from, cell }) => `${from} ${cell.split(' ')[0]}`);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it('knows the objects of its rows, except those without a public id', () => {
    const unknown = Object.keys(STANDARD_TYPES).filter(name => objectTypeId(name) === undefined);
    expect(unknown).toEqual(['payment_links']);
  });
});

describe('the standard type', () => {
  it.each([
    ['contacts', 'companies', 279],
    ['companies', 'contacts', 280],
    ['contacts', 'deals', 4],
    ['deals', 'contacts', 3],
    ['deals', 'companies', 341],
    ['companies', 'deals', 342],
    ['contacts', 'tickets', 15],
    ['tickets', 'contacts', 16],
    ['companies', 'tickets', 340],
    ['tickets', 'companies', 339],
    ['deals', 'tickets', 27],
    ['tickets', 'deals', 28],
    ['contacts', 'contacts', 449],
    ['companies', 'companies', 450],
    ['deals', 'deals', 451],
    ['tickets', 'tickets', 452],
    ['contact', '0-2', 279],
    ['0-1', 'COMPANY', 279],
    ['notes', 'contacts', 202],
  ])('%s → %s is %i when nothing is said', (from, to, id) => {
    expect(defaultOf(from, to)).toBe(id);
  });

  it.each([
    ['contacts', '2-7'],
    ['martians', 'companies'],
    ['contacts', 'products'],
  ])('%s → %s: nothing is known', (from, to) => {
    expect(defaultOf(from, to)).toBeUndefined();
    expect(standardTypes(objectPairOf(from, to))).toEqual([]);
  });

  it.each([
    [1, '0-1', '0-2', 'Primary'],
    [5, '0-3', '0-2', 'Primary'],
    [25, '0-2', '0-5', 'Primary'],
    [2, '0-2', '0-1', 'Primary'],
    [6, '0-2', '0-3', 'Primary'],
    [26, '0-5', '0-2', 'Primary'],
    [13, '0-2', '0-2', 'Child company'],
    [931, '0-1', '0-2', 'Billing'],
    [449, '0-1', '0-1', null],
  ])('%i is %s → %s, %s', (id, from, to, label) => {
    expect(standardHome(id)).toEqual({ typeId: id, from, to, label });
  });

  it('lists the types of a direction', () => {
    expect(standardTypes(objectPairOf('contacts', 'companies'))).toEqual([
      { typeId: 279, label: null },
      { typeId: 1, label: 'Primary' },
      { typeId: 931, label: 'Billing' },
    ]);
  });
});
