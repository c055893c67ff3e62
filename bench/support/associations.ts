/** The associations of all measurements: ids of 9 digits, contacts to companies, all of them good. */
import type { Association, JobData, Pair } from '../../src/shared/association.js';

export const OBJECT_PAIR = { fromObjectType: 'contacts', toObjectType: 'companies' } as const;
export const TYPES = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }] as const;

const FIRST_FROM = 100_000_001;
const FIRST_TO = 500_000_001;

export const pairAt = (index: number): Pair => [String(FIRST_FROM + index), String(FIRST_TO + index)];

export const associationAt = (index: number): Association => {
  const [from, to] = pairAt(index);
  return { ...OBJECT_PAIR, from, to, types: TYPES };
};

export function* associations(count: number): Generator<Association> {
  for (let index = 0; index < count; index++) yield associationAt(index);
}

/** Jobs as any BullMQ client may write them. */
export function* jobs(count: number, pairsPerJob: number): Generator<JobData> {
  for (let first = 0; first < count; first += pairsPerJob) {
    const size = Math.min(pairsPerJob, count - first);
    const pairs = Array.from({ length: size }, (_, index) => pairAt(first + index));
    yield { version: 1, ...OBJECT_PAIR, types: [...TYPES], pairs };
  }
}
