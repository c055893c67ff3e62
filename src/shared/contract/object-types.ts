/**
 * The names of an object type: contacts, contact and 0-1 are the same type.
 * Worker, labels, gateway and simulator use it to read and write HubSpot's names.
 */

import { didYouMean, meant } from './did-you-mean.js';
import { quote } from './record-id.js';

/** Object type id by plural name, from HubSpot's guide to the object APIs. */
const STANDARD_IDS: Record<string, string> = {
  contacts: '0-1',
  companies: '0-2',
  deals: '0-3',
  tickets: '0-5',
  products: '0-7',
  line_items: '0-8',
  quotes: '0-14',
  communications: '0-18',
  feedback_submissions: '0-19',
  tasks: '0-27',
  notes: '0-46',
  meetings: '0-47',
  calls: '0-48',
  emails: '0-49',
  invoices: '0-53',
  marketing_events: '0-54',
  subscriptions: '0-69',
  goals: '0-74',
  discounts: '0-84',
  fees: '0-85',
  taxes: '0-86',
  payments: '0-101',
  users: '0-115',
  postal_mail: '0-116',
  orders: '0-123',
  leads: '0-136',
  carts: '0-142',
  services: '0-162',
  courses: '0-410',
  listings: '0-420',
  appointments: '0-421',
  projects: '0-970',
};

const IRREGULAR: Record<string, string> = { companies: 'company', taxes: 'tax', postal_mail: 'postal_mail' };
const singular = (plural: string): string => IRREGULAR[plural] ?? plural.slice(0, -1);

const idByName = new Map<string, string>();
const singularById = new Map<string, string>();
const pluralById = new Map<string, string>();
for (const [plural, id] of Object.entries(STANDARD_IDS)) {
  for (const name of [plural, singular(plural), id]) idByName.set(name, id);
  singularById.set(id, singular(plural));
  pluralById.set(id, plural);
}

const STANDARD_NAMES = [...idByName.keys()].filter(name => !/^\d/.test(name));

/** `2-N`, and the fully qualified name `p<portal>_<name>`. The code assumes that every custom object exists. */
const CUSTOM = /^(2-\d{1,12}|p\d+_[a-z0-9_-]+)$/;

/** @returns the id (`0-1`, `2-7`) of an object type under any of its names; undefined if HubSpot does not know the name */
export function objectTypeId(name: string): string | undefined {
  const lower = name.toLowerCase();
  return idByName.get(lower) ?? (CUSTOM.test(lower) ? lower : undefined);
}

/** Ids of any object type, and names of custom ones with or without the portal. */
const UNCHECKED = /^(\d{1,3}-\d{1,12}|p\d*_[a-z0-9_-]+)$/;

/** @returns true if HubSpot knows the name, or only HubSpot can know it */
const isAcceptable = (name: string): boolean => idByName.has(name) || UNCHECKED.test(name);

/** For the command line. @returns why the name is probably a mistake; undefined if it is acceptable */
export function objectTypeFault(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (isAcceptable(lower)) return undefined;
  const near = meant(lower, STANDARD_NAMES);
  const remedy = near
    ? `${didYouMean(near)} (if not: --any-object-type)`
    : ` (a custom object has an id, such as 2-1234; for any other name: --any-object-type)`;
  return `${quote(name)} is not an object type that HubSpot's guide lists${remedy}`;
}

/**
 * For the library and the gateway, which let through any name that is not nearly one of HubSpot's own.
 * @returns why the name is probably a misspelt one of HubSpot's own; undefined if it is not
 */
export function misspeltObjectType(name: string): string | undefined {
  const lower = name.toLowerCase();
  const near = isAcceptable(lower) ? undefined : meant(lower, STANDARD_NAMES);
  return (
    near && `${quote(name)} is not an object type${didYouMean(near)} (if not: give its id, such as 2-1234)`
  );
}

/** @returns the same text for all names of an object type, known or not */
export const sameTypeName = (name: string): string => objectTypeId(name) ?? name.toLowerCase();

/** The name in HubSpot's error messages: `contact`; for custom objects the id. */
export const objectTypeWord = (id: string): string => singularById.get(id) ?? id;

/** The name in paths: `contacts`; for custom objects the id. */
export const objectTypePlural = (id: string): string => pluralById.get(id) ?? id;

export const isCustomObject = (id: string): boolean => !id.startsWith('0-');

/** Names an object pair: `contacts/companies`, or with a list of types `contacts/companies HUBSPOT_DEFINED:279`. */
export const pairName = (fromObjectType: string, toObjectType: string, typesText?: string): string =>
  typesText === undefined
    ? `${fromObjectType}/${toObjectType}`
    : `${fromObjectType}/${toObjectType} ${typesText}`;
