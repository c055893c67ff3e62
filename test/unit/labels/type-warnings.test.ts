/** Warnings about types that look wrong, once each. */
import { describe, expect, it } from '@jest/globals';
import { TypeWarner, typeWarnings } from '../../../src/labels/type-warnings.js';
import { type AssociationCategory, parseType } from '../../../src/shared/contract/association.js';

describe('the warnings about types', () => {
  const of = (fromObjectType: string, toObjectType: string, ...types: string[]) =>
    typeWarnings({ fromObjectType, toObjectType, types: types.map(parseType) });

  it.each([
    ['contacts', 'companies', 'HUBSPOT_DEFINED:279'],
    ['0-1', 'company', 'HUBSPOT_DEFINED:1'],
    ['contacts', 'companies', 'USER_DEFINED:280'],
    ['contacts', 'companies', 'WORK:9999'],
    ['2-7', '2-8', 'HUBSPOT_DEFINED:9999'],
    ['contacts', '2-8', 'HUBSPOT_DEFINED:9999'],
  ])('are none for %s → %s with %s', (from, to, type) => {
    expect(of(from, to, type)).toEqual([]);
  });

  it('name a type of the other direction', () => {
    expect(of('contacts', 'companies', 'HUBSPOT_DEFINED:280')).toEqual([
      'HUBSPOT_DEFINED:280 is from companies to contacts, not from contacts to companies (the other direction); known are HUBSPOT_DEFINED:279 (unlabelled), HUBSPOT_DEFINED:1 "Primary", HUBSPOT_DEFINED:931 "Billing"',
    ]);
  });

  it('name a type of another object pair and a type that nobody knows', () => {
    expect(of('deals', 'contacts', 'HUBSPOT_DEFINED:4', 'HUBSPOT_DEFINED:9999', 'HUBSPOT_DEFINED:3')).toEqual(
      [
        'HUBSPOT_DEFINED:4 is from contacts to deals, not from deals to contacts (the other direction); known are HUBSPOT_DEFINED:3 (unlabelled)',
        'HUBSPOT_DEFINED:9999 is not known from deals to contacts; known are HUBSPOT_DEFINED:3 (unlabelled)',
      ],
    );
    expect(of('2-7', 'contacts', 'HUBSPOT_DEFINED:472')).toEqual([
      'HUBSPOT_DEFINED:472 is from companies to payment_links, not from 2-7 to contacts',
    ]);
  });

  it('fit into a header', () => {
    for (let id = 1; id < 1_400; id++)
      for (const warning of of('contacts', 'companies', `HUBSPOT_DEFINED:${id}`))
        expect(warning).toMatch(/^[\x20-\x7e]{1,400}$/);
  });

  it('are said once, and not without end', () => {
    const said: string[] = [];
    const warner = new TypeWarner(warning => said.push(warning));
    const category: AssociationCategory = 'HUBSPOT_DEFINED';
    const check = (associationTypeId: number) =>
      warner.check({
        fromObjectType: 'contacts',
        toObjectType: 'companies',
        types: [{ associationCategory: category, associationTypeId }],
      });
    check(280);
    check(280);
    expect(said).toHaveLength(1);
    for (let id = 10_000; id < 12_000; id++) check(id);
    expect(said).toHaveLength(1_000);
  });
});
