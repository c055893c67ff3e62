/** Associations of contacts and companies, as jobs and requests carry them. Plain data: no Redis, no process. */
import type { AssociationType, Pair } from '../../src/shared/contract/association.js';

export const CONTACT_TO_COMPANY: AssociationType = {
  associationCategory: 'HUBSPOT_DEFINED',
  associationTypeId: 279,
};

export const contactsToCompanies = {
  version: 1 as const,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [CONTACT_TO_COMPANY],
};

/** `count` different record pairs that the simulator accepts. */
export const goodPairs = (count: number, first = 100_000_001): Pair[] =>
  Array.from({ length: count }, (_, at): Pair => [String(first + at), String(first + 400_000_000 + at)]);

export const CREATE = '/crm/v4/associations/contacts/companies/batch/create';
export const inputOf = (from: string | number, to: string | number) => ({
  from: { id: from },
  to: { id: to },
  types: [CONTACT_TO_COMPANY],
});
