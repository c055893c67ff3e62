/**
 * The vocabulary of the whole project (job-schema.ts has the schema of a job's data).
 *
 *   association   one wanted link: a record pair (from id, to id) of an object pair (from type, to type) with types
 *   type          (associationCategory, associationTypeId), written HUBSPOT_DEFINED:279 in text
 *   job           a BullMQ job with associations of one object pair that share the same types
 *   batch         the inputs of one API call, all of one object pair, no record pair twice
 *   outcome       created | retry (spends an attempt or time) | rejected (final) | held (spends nothing, comes back later)
 *   account       a HubSpot account with its credentials and its quota
 *
 * Pure: no I/O, no clock.
 */
import { didYouMean, meant } from './did-you-mean.js';
import { isCleanText, quote, recordIdFault } from './record-id.js';

/**
 * Who defines an association type: HubSpot (`HUBSPOT_DEFINED`), the account (`USER_DEFINED`: its labels), an app
 * (`INTEGRATOR_DEFINED`), HubSpot's work objects (`WORK`).
 *
 * Source: HubSpot, *Associations v4*, `associationCategory`.
 *
 * @example
 * ```ts
 * import { ASSOCIATION_CATEGORIES } from 'hubspot-association-queue-client';
 *
 * console.log(ASSOCIATION_CATEGORIES.includes('USER_DEFINED')); // prints: true
 * ```
 */
export const ASSOCIATION_CATEGORIES = [
  'HUBSPOT_DEFINED',
  'USER_DEFINED',
  'INTEGRATOR_DEFINED',
  'WORK',
] as const;
/**
 * One of {@link ASSOCIATION_CATEGORIES}.
 *
 * @example
 * ```ts
 * import { type AssociationCategory, typeText } from 'hubspot-association-queue-client';
 *
 * const category: AssociationCategory = 'USER_DEFINED';
 * console.log(typeText({ associationCategory: category, associationTypeId: 36 })); // prints: USER_DEFINED:36
 * ```
 */
export type AssociationCategory = (typeof ASSOCIATION_CATEGORIES)[number];

/** HubSpot's type ids are int32. */
export const MAX_TYPE_ID = 2_147_483_647;
/**
 * Most associations that a producer packs into one job: 500. Measured: larger jobs gain nothing.
 *
 * @example
 * ```ts
 * import { MAX_PAIRS_PER_JOB } from 'hubspot-association-queue-client';
 *
 * const jobs = Math.ceil(1_200 / MAX_PAIRS_PER_JOB);
 * console.log(jobs); // prints: 3
 * ```
 */
export const MAX_PAIRS_PER_JOB = 500;
/** HubSpot's limit of inputs in one batch/create call. */
export const MAX_INPUTS_PER_CALL = 2_000;
/** Most types of one association. */
export const MAX_TYPES = 100;
/** Longest name of a label in characters; HubSpot's limit is lower. */
export const MAX_LABEL_LENGTH = 200;
/** Error contexts kept in a job, newest last. */
export const MAX_ERRORS_PER_JOB = 10;

/** HubSpot's own examples write type ids as strings as well. */
export const TYPE_ID_PATTERN = '^[1-9]\\d{0,9}$';
/**
 * One association type in HubSpot's form: the category, and the id of the type within it, an integer from 1 to 2^31 - 1. A
 * type holds for one direction: 279 is contact → company, 280 company → contact.
 *
 * Source: HubSpot, *Associations v4*, `associationCategory` and `associationTypeId`.
 *
 * @example
 * ```ts
 * import { type AssociationType, createProducer } from 'hubspot-association-queue-client';
 *
 * const contactToCompany: AssociationType = { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 };
 * await using producer = createProducer();
 * const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 112, to: 202 };
 * await producer.enqueue({ ...link, types: [contactToCompany] });
 * ```
 */
export type AssociationType = {
  /** who defines the type */
  associationCategory: AssociationCategory;
  /** its id within the category; once read, a number */
  associationTypeId: number;
};

// An object type becomes a path segment of the API call.
export const OBJECT_TYPE_PATTERN = '^[A-Za-z0-9_-]{1,100}$';
/** A record pair: [from record id, to record id]. */
export type Pair = readonly [from: string, to: string];
/** Why an attempt at some pairs of a job failed, in HubSpot's words. Absent fields are omitted. */
export type ErrorContext = {
  /** when HubSpot answered, ISO 8601 */
  at: string;
  /** which attempt of the association this was, from 1 */
  attempt: number;
  httpStatus?: number;
  category?: string;
  subCategory?: string;
  message: string;
  correlationId?: string;
  /** how many pairs of the job this error concerned */
  pairs: number;
};
/** The history of a pair. An absent field means that it never happened. */
export type PairProgress = {
  /** how often HubSpot has refused the pair; at most JOB_ATTEMPTS */
  readonly attempts?: number;
  /** how many times the size of its batches is halved */
  readonly suspicion?: number;
  /** since when HubSpot has been unavailable for the pair, ISO 8601; absent once it answers */
  readonly unavailableSince?: string;
};
export type Rejected = { error: ErrorContext; pairs: Pair[] };

/** The data of a job once it is read (job-schema.ts): ids are strings. Unknown fields are kept. */
export type JobData = {
  version: 1;
  fromObjectType: string;
  toObjectType: string;
  types: AssociationType[];
  pairs: Pair[];
  source?: string;
  requestId?: string;
  errors?: ErrorContext[];
  progress?: ({ pairs: number } & PairProgress)[];
  rejected?: Rejected[];
  created?: number;
  cancelled?: number;
};

/**
 * One wanted link, once its fields are read (association-input.ts has what callers write). Ids are strings or safe integers.
 * It has types, the name of a label, or both. Without either, it gets the unlabelled type of its object pair.
 */
export type Association = {
  fromObjectType: string;
  toObjectType: string;
  from: string | number;
  to: string | number;
  types?: readonly AssociationType[] | undefined;
  /** name of the label as HubSpot shows it for this direction, such as `Decision maker` */
  label?: string | undefined;
};
/** An association with known types. Jobs hold only such associations. */
export type TypedAssociation = Association & { types: readonly AssociationType[] };

const objectTypePattern = new RegExp(OBJECT_TYPE_PATTERN);

/** @returns every fault of an association, with the field and the quoted value; empty if it can be enqueued */
export function associationFaults(association: Association): string[] {
  const given = association as { [field in keyof Association]?: unknown } | null | undefined;
  if (typeof given !== 'object' || given === null) return [`association: ${quote(given)} is not an object`];
  const faults: string[] = [];
  for (const side of ['fromObjectType', 'toObjectType'] as const) {
    const value = given[side];
    if (!isObjectType(value))
      faults.push(`${side}: ${quote(value)} is not an object type (such as contacts, 0-1 or 2-1234)`);
  }
  for (const side of ['from', 'to'] as const) {
    const fault = recordIdFault(given[side]);
    if (fault) faults.push(`${side}: ${fault}`);
  }
  if (given.types !== undefined) faults.push(...typesFaults(given.types));
  const labelFault = given.label === undefined ? undefined : faultOfLabel(given.label);
  return labelFault ? [...faults, labelFault] : faults;
}

function faultOfLabel(label: unknown): string | undefined {
  if (typeof label !== 'string') return `label: ${quote(label)} is not a text`;
  if (label.trim() === '')
    return `label: ${quote(label)} is empty (leave it out for an unlabelled association)`;
  if (label.length > MAX_LABEL_LENGTH)
    return `label: ${quote(label)} is longer than ${MAX_LABEL_LENGTH} characters`;
  return isCleanText(label) ? undefined : `label: ${quote(label)} ${NOT_CLEAN}`;
}

export const NOT_CLEAN = 'has control characters, or is not well-formed Unicode';

/** @returns true if the value can be the name or the id of an object type */
export const isObjectType = (value: unknown): value is string =>
  typeof value === 'string' && objectTypePattern.test(value);

const typeIdPattern = new RegExp(TYPE_ID_PATTERN);
/** Turns `"279"` into the number; returns anything else unchanged. */
export const typeIdOf = (id: unknown): unknown =>
  typeof id === 'string' && typeIdPattern.test(id) ? Number(id) : id;

/** @returns every fault of a list of types, with its index */
export function typesFaults(types: unknown): string[] {
  if (!Array.isArray(types)) return [`types: ${quote(types)} is not a list of association types`];
  if (types.length === 0) return ['types: at least one association type is needed'];
  if (types.length > MAX_TYPES) return [`types: ${types.length} types are more than ${MAX_TYPES}`];
  return types.flatMap((type: Partial<AssociationType> | null, index) => {
    const faults: string[] = [];
    const category = type?.associationCategory;
    if (!ASSOCIATION_CATEGORIES.includes(category as AssociationCategory))
      faults.push(
        `types[${index}].associationCategory: ${quote(category)} is not one of ${ASSOCIATION_CATEGORIES.join(', ')}`,
      );
    const id = typeIdOf(type?.associationTypeId);
    if (!Number.isInteger(id) || Number(id) < 1 || Number(id) > MAX_TYPE_ID)
      faults.push(
        `types[${index}].associationTypeId: ${quote(id)} is not an integer from 1 to ${MAX_TYPE_ID}`,
      );
    return faults;
  });
}

/**
 * Writes a type as a text.
 * @returns the category, a colon, the type id: `HUBSPOT_DEFINED:279`
 *
 * @example
 * ```ts
 * import { typeText } from 'hubspot-association-queue-client';
 *
 * const text = typeText({ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 });
 * console.log(text); // prints: HUBSPOT_DEFINED:279
 * ```
 */
export function typeText(type: AssociationType): string {
  return `${type.associationCategory}:${type.associationTypeId}`;
}

/** The key of a list of types: the same types in any order give the same text. */
export const typesText = (types: readonly AssociationType[]): string =>
  types.length === 1 && types[0] ? typeText(types[0]) : [...new Set(types.map(typeText))].sort().join('+');

/**
 * Reads a type that is written as a text. (`enqueue` and `enqueueMany` read such texts themselves.)
 * @param text the category, a colon, the type id: `HUBSPOT_DEFINED:279`
 * @throws RangeError that quotes the text and gives an example
 *
 * @example
 * ```ts
 * import { parseType } from 'hubspot-association-queue-client';
 *
 * const { associationCategory, associationTypeId } = parseType('USER_DEFINED:36');
 * console.log(associationCategory, associationTypeId); // prints: USER_DEFINED 36
 * ```
 */
export function parseType(text: string): AssociationType {
  const [category, id, ...rest] = text.trim().split(':');
  const type = { associationCategory: category, associationTypeId: typeIdOf(id) } as AssociationType;
  if (rest.length > 0 || typesFaults([type]).length > 0)
    throw new RangeError(`${quote(text)} is not an association type${typeMeant(text.trim())}`);
  return type;
}

/** `279` lacks its category, and `HUBSPOT_DEFIND:279` has a misspelt one; other texts get an example. */
function typeMeant(text: string): string {
  if (typeIdPattern.test(text)) return didYouMean(`HUBSPOT_DEFINED:${text}`);
  const [category = '', id = '', ...rest] = text.split(':');
  const near =
    typeIdPattern.test(id.trim()) && rest.length === 0
      ? meant(category.trim(), ASSOCIATION_CATEGORIES)
      : undefined;
  return near ? didYouMean(`${near}:${id.trim()}`) : ' (such as HUBSPOT_DEFINED:279)';
}
