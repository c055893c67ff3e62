/** The packer neither loses nor invents, keeps the order within a lane, and never mixes lanes. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Packer, unpack } from '../../src/producer/packer.js';
import { type JobData, type TypedAssociation, typesText } from '../../src/shared/contract/association.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import { canonicalId } from '../../src/shared/contract/record-id.js';

const type = fc.record({
  associationCategory: fc.constantFrom('HUBSPOT_DEFINED', 'USER_DEFINED'),
  associationTypeId: fc.integer({ min: 1, max: 3 }),
});
const association: fc.Arbitrary<TypedAssociation> = fc.record({
  fromObjectType: fc.constantFrom('contacts', '0-1'),
  toObjectType: fc.constantFrom('companies', '2-77'),
  from: fc.oneof(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.stringMatching(/^[0-9a-f]{1,12}$/)),
  to: fc.integer({ min: 1, max: 50 }),
  types: fc.array(type, { minLength: 1, maxLength: 3 }),
});
const invalid = fc.constantFrom({ from: 'a b' }, { to: -1 }, { types: [] }, { toObjectType: '/' });
const input = fc.array(
  fc.tuple(association, fc.option(invalid, { nil: undefined, freq: 9 })).map(([good, fault]) => ({
    item: { ...good, ...fault } as TypedAssociation,
    isGood: fault === undefined,
  })),
  { maxLength: 80 },
);

const laneOf = ({
  fromObjectType,
  toObjectType,
  types,
}: Pick<TypedAssociation, 'fromObjectType' | 'toObjectType' | 'types'>) =>
  `${fromObjectType}/${toObjectType}/${typesText(types)}`;
const byLane = (associations: readonly TypedAssociation[]) => {
  const lanes: Record<string, string[]> = {};
  for (const one of associations) {
    const lane = laneOf(one);
    lanes[lane] ??= [];
    lanes[lane].push(`${canonicalId(one.from)}>${canonicalId(one.to)}`);
  }
  return lanes;
};

describe('the packer', () => {
  it('gives exactly the valid associations, per lane in order, in jobs of at most maxPairs', () => {
    fc.assert(
      fc.property(
        input,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 90 }),
        (items, maxPairs, cut) => {
          const packer = new Packer({}, maxPairs);
          const jobs: JobData[] = [];
          items.forEach(({ item, isGood }, index) => {
            const job = packer.add(item);
            expect(job !== undefined).toBe(isGood);
            if (job && packer.isFull(job)) jobs.push(job);
            if (index === cut) jobs.push(...packer.takeOpen());
          });
          jobs.push(...packer.takeOpen());

          const good = items.filter(({ isGood }) => isGood).map(({ item }) => item);
          expect(byLane(jobs.flatMap(unpack))).toEqual(byLane(good));
          for (const job of jobs) {
            expect(job.pairs.length).toBeGreaterThan(0);
            expect(job.pairs.length).toBeLessThanOrEqual(maxPairs);
            expect(parseJobData(JSON.parse(JSON.stringify(job)))).toEqual({ ok: true, data: job });
          }
        },
      ),
    );
  });

  it('fills jobs, of which only the last of a lane is not full', () => {
    fc.assert(
      fc.property(
        fc.array(association, { maxLength: 80 }),
        fc.integer({ min: 1, max: 7 }),
        (items, maxPairs) => {
          const packer = new Packer({}, maxPairs);
          for (const item of items) packer.add(item);
          const open = packer.takeOpen().map(laneOf);
          expect(new Set(open).size).toBe(open.length);
        },
      ),
    );
  });
});
