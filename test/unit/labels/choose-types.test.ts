/** From labels to types: the pure part. */
import { describe, expect, it } from '@jest/globals';
import { chooseTypes, type KnownLabel, type Wish } from '../../../src/labels/choose-types.js';
import { parseType, typeText } from '../../../src/shared/contract/association.js';

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
  ])('%j is the type %s', (label, type) => {
    expect(chosen({ label })).toEqual([type]);
  });

  it('is added to the types that are given', () => {
    expect(chosen({ label: 'Primary', types: [parseType('USER_DEFINED:36')] })).toEqual([
      'USER_DEFINED:36',
      'HUBSPOT_DEFINED:1',
    ]);
  });

  it('that may mean several types is refused, and they are named', () => {
    expect(chosen({ label: 'BILLING' })).toBe(
      'label: "BILLING" from contacts to companies may be any of "Billing" USER_DEFINED:37, "billing" HUBSPOT_DEFINED:931: give types, or the label as it is written',
    );
  });

  it('that is unknown is refused with the known ones and the one that was probably meant', () => {
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

  it('that is unknown among very many is refused with some of them', () => {
    const many = Array.from({ length: 300 }, (_, id) =>
      known(`USER_DEFINED:${id + 1}`, `Label number ${id}`),
    );
    const fault = chosen({ label: 'Chef' }, many);
    expect(fault).toContain('and 280 more)');
    expect(fault.length).toBeLessThan(600);
  });

  it("is refused in HubSpot's words where HubSpot lists nothing", () => {
    expect(
      chosen({ label: 'Chef' }, [], '400 from HubSpot: Unable to infer object type from: martians'),
    ).toBe(
      'label: the labels from contacts to companies cannot be looked up: 400 from HubSpot: Unable to infer object type from: martians; give types instead',
    );
  });
});

describe('an association without label and types', () => {
  it.each<[string, KnownLabel[], string[]]>([
    ['gets the unlabelled type of its object pair', LABELS, ['HUBSPOT_DEFINED:279']],
    ['gets the unlabelled type of a custom object', [known('USER_DEFINED:41', null)], ['USER_DEFINED:41']],
    [
      "gets HubSpot's own type where several are unlabelled",
      [known('USER_DEFINED:41', null), known('HUBSPOT_DEFINED:9', null)],
      ['HUBSPOT_DEFINED:9'],
    ],
  ])('%s', (_, labels, types) => {
    expect(chosen({}, labels)).toEqual(types);
  });

  it('is refused with what to give where nothing is known', () => {
    expect(chosen({}, LABELS.slice(1, 3))).toBe(
      'types: no unlabelled type is known from contacts to companies: give types, or a label (known: "Primary", "Decision maker")',
    );
    expect(chosen({}, [known('USER_DEFINED:1', null), known('USER_DEFINED:2', null)])).toContain(
      'give types',
    );
  });
});
