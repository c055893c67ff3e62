/** The packer: from associations to jobs of one object pair and one list of types. */
import { describe, expect, it } from '@jest/globals';
import { Packer, unpack } from '../../../src/producer/packer.js';
import type { Association, AssociationType } from '../../../src/shared/contract/association.js';

const primary: AssociationType = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 };
const labelled: AssociationType = { associationCategory: 'USER_DEFINED', associationTypeId: 36 };
const link = (from: string | number, to: string | number, more: Partial<Association> = {}): Association => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  from,
  to,
  types: [primary],
  ...more,
});

describe('the packer', () => {
  it('puts associations of one object pair with the same types into one job, ids as strings, in order', () => {
    const packer = new Packer({ source: 'crm', requestId: 'r1' });
    packer.add(link('101', 202));
    packer.add(link(103, '204'));
    expect(packer.takeOpen()).toEqual([
      {
        version: 1,
        fromObjectType: 'contacts',
        toObjectType: 'companies',
        types: [primary],
        pairs: [
          ['101', '202'],
          ['103', '204'],
        ],
        source: 'crm',
        requestId: 'r1',
      },
    ]);
  });

  it('sees the same types in another order, or twice, as the same', () => {
    const packer = new Packer();
    packer.add(link(1, 2, { types: [primary, labelled] }));
    packer.add(link(3, 4, { types: [labelled, primary] }));
    packer.add(link(5, 6, { types: [primary, labelled, { ...primary }] }));
    const [job, ...others] = packer.takeOpen();
    expect(others).toEqual([]);
    expect(job?.types).toEqual([primary, labelled]);
    expect(job?.pairs).toHaveLength(3);
  });

  it.each([
    ['another object type', { fromObjectType: 'deals' }],
    ['other types', { types: [labelled] }],
    ['more types', { types: [primary, labelled] }],
  ])('puts an association with %s into another job', (_, more) => {
    const packer = new Packer();
    packer.add(link(1, 2));
    packer.add(link(1, 2, more));
    packer.add(link(3, 4));
    expect(packer.takeOpen().map(job => job.pairs.length)).toEqual([2, 1]);
  });

  it('notices that a reused array of types has been changed, and keeps what it was for the job before', () => {
    const packer = new Packer();
    const types = [{ ...primary }];
    packer.add(link(1, 2, { types }));
    types[0] = labelled;
    packer.add(link(3, 4, { types }));
    expect(packer.takeOpen().map(job => job.types)).toEqual([[primary], [labelled]]);
  });

  it('hands over a full job and opens another', () => {
    const packer = new Packer({}, 2);
    const jobs = [1, 2, 3].map(id => packer.add(link(id, id)));
    expect(jobs[0]).toBe(jobs[1]);
    expect(jobs.map(job => job && packer.isFull(job))).toEqual([true, true, false]);
    expect(packer.takeOpen()).toEqual([jobs[2]]);
    expect(packer.takeOpen()).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'contacts'],
    ['an id with a blank', link('1 2', '3')],
    ['an unsafe number', link(2 ** 53, '3')],
    ['no types', link('1', '2', { types: [] })],
    ['an unknown category', link('1', '2', { types: [{ ...primary, associationCategory: 'X' as 'WORK' }] })],
    ['more types than a job may have', link('1', '2', { types: Array(101).fill(primary) })],
    [
      'types that are no list',
      link('1', '2', { types: { length: 1, 0: primary } as unknown as AssociationType[] }),
    ],
  ])('refuses an association that is wrong: %s', (_, association) => {
    const packer = new Packer();
    expect(packer.add(association as Association)).toBeUndefined();
    expect(packer.takeOpen()).toEqual([]);
    packer.add(link('1', '2')); // and no more when the lane is known
    expect(packer.add(association as Association)).toBeUndefined();
    expect(packer.takeOpen().flatMap(unpack)).toEqual([link('1', '2')]);
  });
});
