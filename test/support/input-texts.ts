/** Inputs written as texts, such as `1>2`, for tests of what an answer means. */
import type { AssociationType } from '../../src/shared/contract/association.js';
import { type Input, inputOf } from './worker-samples.js';

export const user = (associationTypeId: number): AssociationType => ({
  associationCategory: 'USER_DEFINED',
  associationTypeId,
});
export const hubspot = (associationTypeId: number): AssociationType => ({
  associationCategory: 'HUBSPOT_DEFINED',
  associationTypeId,
});

/** Record pairs as text: `1>2`. */
export const parse = (text: string, types?: readonly AssociationType[]): Input => {
  const [from = '', to = ''] = text.split('>');
  return inputOf(from, to, types);
};
export const textOf = ({ from, to }: Pick<Input, 'from' | 'to'>) => `${from}>${to}`;
