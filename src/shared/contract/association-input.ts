/**
 * Associations as callers of the library write them. Types only; src/producer/given.ts reads them into the form of
 * association.ts, which everything behind the library uses.
 */
import type { AssociationCategory, AssociationType } from './association.js';

/** Any text. Editors suggest the known texts beside it. */
type AnyText = string & Record<never, never>;

/**
 * One association type, as a caller may write it:
 * - a text, `HUBSPOT_DEFINED:279`: the category, a colon, the type id;
 * - an object in HubSpot's form, whose type id may be a text.
 *
 * The compiler accepts any text, so that types may come from a configuration; `enqueue` and `enqueueMany` refuse what is no
 * type (`InvalidAssociationError`). Ids of HubSpot's own types: HubSpot's guide to the associations API; ids of your labels:
 * *Settings → Objects → Association labels* in HubSpot, or leave the id out and give the label's name.
 *
 * @example
 * ```ts
 * import type { TypeInput } from 'hubspot-association-queue-client';
 *
 * const primary: TypeInput = 'HUBSPOT_DEFINED:1';
 * const billing: TypeInput = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 931 };
 * console.log(primary, billing.associationTypeId); // prints: HUBSPOT_DEFINED:1 931
 * ```
 */
export type TypeInput =
  | `${AssociationCategory}:${number}`
  | AnyText
  | AssociationType
  | {
      readonly associationCategory: AssociationCategory | AnyText;
      readonly associationTypeId: number | string;
    };

/**
 * One wanted link between two records, as a caller writes it. HubSpot's names of the fields
 * (`associationCategory`, `associationTypeId`, `associationLabel`) are accepted as well; any other field is refused by name.
 *
 * With `types` it gets these types, with `label` the type of that label, with both all of them, with neither HubSpot's
 * unlabelled type of the object pair.
 *
 * @example
 * ```ts
 * import { type AssociationInput, createProducer } from 'hubspot-association-queue-client';
 *
 * await using producer = createProducer();
 * const link: AssociationInput = {
 *   fromObjectType: 'contacts',
 *   toObjectType: 'companies',
 *   from: '101',
 *   to: 202,
 *   types: ['HUBSPOT_DEFINED:279', 'HUBSPOT_DEFINED:1'],
 * };
 * await producer.enqueue(link);
 * ```
 */
export type AssociationInput = {
  /** name or id of the object type on the first side: `contacts`, `0-1`, `2-1234`, `p123_car` */
  readonly fromObjectType: string;
  /** the same for the other side */
  readonly toObjectType: string;
  /** record id: digits as a text, or a safe integer. Ids above 2^53 must be texts */
  readonly from: string | number;
  /** record id on the other side */
  readonly to: string | number;
  /** one type, or 1 to 100 of them. Default: the type of `label`, or else HubSpot's unlabelled type of the object pair */
  readonly types?: TypeInput | readonly TypeInput[] | undefined;
  /** name of a label as HubSpot shows it for this direction, such as `Decision maker`; at most 200 characters */
  readonly label?: string | undefined;
};
