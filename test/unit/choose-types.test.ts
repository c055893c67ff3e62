/** From labels to types, and what is said of odd types: the pure parts. */
import { describe, expect, it } from '@jest/globals';
import { chooseTypes, type KnownLabel, type Wish } from '../../src/labels/choose-types.js';
import { TypeWarner, typeWarnings } from '../../src/labels/type-warnings.js';
import { type AssociationCategory, parseType, typeText } from '../../src/shared/contract/association.js';

const known = (text: string, label: string | null): KnownLabel => ({ ...parseType(text), label });
const LABELS = [
  known('HUBSPOT_DEFINED:279', null),
  known('HUBSPOT_DEFINED:1', 'Primary'),
  known('USER_DEFINED:36', 'Decision maker'),
  known('USER_DEFINED:37', 'Billing'),
  known('HUBSPOT_DEFINED:931', 'billing'),
];
const wish = (more: Partial<Wish> = {}): Wish => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  ...more,
});
const chosen = (more: Partial<Wish>, labels: readonly KnownLabel[] = LABELS, refusal?: string) => {
  const choice = chooseTypes(wish(more), labels, refusal);
  return choice.kind === 'types' ? choice.types.map(typeText) : choice.fault;
};

describe('a label', () => {
  it.each([
    ['Decision maker', 'USER_DEFINED:36'],
    ['  decision   MAKER ', 'USER_DEFINED:36'],
    ['Billing', 'USER_DEFINED:37'],
    ['billing', 'HUBSPOT_DEFINED:931'],
  ])('%j is %s', (label, type) => {
    expect(chosen({ label })).toEqual([type]);
  });

  it('comes beside the types that are given', () => {
    expect(chosen({ label: 'Primary', types: [parseType('USER_DEFINED:36')] })).toEqual([
      'USER_DEFINED:36',
      'HUBSPOT_DEFINED:1',
    ]);
  });

  it('that may mean several is refused, and they are named', () => {
    expect(chosen({ label: 'BILLING' })).toBe(
      'label: "BILLING" from contacts to companies may be any of "Billing" USER_DEFINED:37, "billing" HUBSPOT_DEFINED:931: give types, or the label as it is written',
    );
  });

  it('that is not among the known ones is refused with them, and with the one that was meant', () => {
    expect(chosen({ label: 'Decison maker' })).toBe(
      'label: "Decison maker" is not a label from contacts to companies: did you mean "Decision maker"? (known: "Primary", "Decision maker", "Billing", "billing")',
    );
    expect(chosen({ label: 'Chef' })).toBe(
      'label: "Chef" is not a label from contacts to companies (known: "Primary", "Decision maker", "Billing", "billing")',
    );
    expect(chosen({ label: 'Chef' }, LABELS.slice(0, 1))).toBe(
      'label: "Chef" is not a label from contacts to companies (there is none)',
    );
    expect(chooseTypes(wish({ label: 'Chef' }), LABELS)).toMatchObject({ unknown: true });
  });

  it('among very many: some are listed', () => {
    const many = Array.from({ length: 300 }, (_, id) =>
      known(`USER_DEFINED:${id + 1}`, `Label number ${id}`),
    );
    const fault = chosen({ label: 'Chef' }, many);
    expect(fault).toContain('and 280 more)');
    expect(fault.length).toBeLessThan(600);
  });

  it('where HubSpot lists nothing, its words are passed on', () => {
    expect(
      chosen({ label: 'Chef' }, [], '400 from HubSpot: Unable to infer object type from: martians'),
    ).toBe(
      'label: the labels from contacts to companies cannot be looked up: 400 from HubSpot: Unable to infer object type from: martians; give types instead',
    );
  });
});

describe('no label and no types', () => {
  it.each<[string, KnownLabel[], string[]]>([
    ['the unlabelled type', LABELS, ['HUBSPOT_DEFINED:279']],
    ['a custom object’s', [known('USER_DEFINED:41', null)], ['USER_DEFINED:41']],
    [
      "of several HubSpot's own",
      [known('USER_DEFINED:41', null), known('HUBSPOT_DEFINED:9', null)],
      ['HUBSPOT_DEFINED:9'],
    ],
  ])('%s', (_, labels, types) => {
    expect(chosen({}, labels)).toEqual(types);
  });

  it('nothing is known: says what to give', () => {
    expect(chosen({}, LABELS.slice(1, 3))).toBe(
      'types: no unlabelled type is known from contacts to companies: give types, or a label (known: "Primary", "Decision maker")',
    );
    expect(chosen({}, [known('USER_DEFINED:1', null), known('USER_DEFINED:2', null)])).toContain(
      'give types',
    );
  });
});

describe('warnings', () => {
  const of = (fromObjectType: string, toObjectType: string, ...types: string[]) =>
    typeWarnings({ fromObjectType, toObjectType, types: types.map(parseType) });

  it.each([
    ['contacts', 'companies', 'HUBSPOT_DEFINED:279'],
    ['0-1', 'company', 'HUBSPOT_DEFINED:1'],
    ['contacts', 'companies', 'USER_DEFINED:280'],
    ['contacts', 'companies', 'WORK:9999'],
    ['2-7', '2-8', 'HUBSPOT_DEFINED:9999'],
    ['contacts', '2-8', 'HUBSPOT_DEFINED:9999'],
  ])('%s → %s with %s: none', (from, to, type) => {
    expect(of(from, to, type)).toEqual([]);
  });

  it('the other direction', () => {
    expect(of('contacts', 'companies', 'HUBSPOT_DEFINED:280')).toEqual([
      'HUBSPOT_DEFINED:280 is from companies to contacts, not from contacts to companies (the other direction); known are HUBSPOT_DEFINED:279 (unlabelled), HUBSPOT_DEFINED:1 "Primary", HUBSPOT_DEFINED:931 "Billing"',
    ]);
  });

  it('another object pair, and a type that nobody knows', () => {
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
