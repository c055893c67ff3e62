/**
 * The vocabulary of the whole project, and the schema of a job's data.
 *
 *   association   one wanted link: a record pair (from id, to id) of an object pair (from type, to type) with types
 *   type          (associationCategory, associationTypeId), written HUBSPOT_DEFINED:279 in text
 *   job           a BullMQ job with associations of one object pair that share the same types
 *   batch         the inputs of one API call, all of one object pair, no record pair twice
 *   outcome       created | retry (spends an attempt or time) | rejected (final) | held (spends nothing, comes back later)
 *   account       a HubSpot account with its credentials and its quota
 *
 * Pure: no I/O, no clock. The TypeBox schemas are the single source of the TypeScript types, of the validation
 * and of docs/job.schema.json.
 */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import {
  canonicalId,
  ID_PATTERN,
  isCanonical,
  isCleanText,
  quote,
  recordIdFault,
  WELL_FORMED_PATTERN,
} from './record-id.js';

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
const TYPE_ID_PATTERN = '^[1-9]\\d{0,9}$';
export const TypeIdSchema = Type.Union([
  Type.Integer({ minimum: 1, maximum: MAX_TYPE_ID }),
  Type.String({ pattern: TYPE_ID_PATTERN, description: 'the same number as a string' }),
]);
const AssociationTypeSchema = Type.Object({
  associationCategory: Type.Enum([...ASSOCIATION_CATEGORIES]),
  associationTypeId: TypeIdSchema,
});
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

export const RecordIdSchema = Type.Union(
  [Type.String({ pattern: ID_PATTERN }), Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })],
  { description: 'a string or an integer; leading zeros are ignored' },
);
const PairSchema = Type.Tuple([RecordIdSchema, RecordIdSchema], { minItems: 2, maxItems: 2 });
// An object type becomes a path segment of the API call.
const OBJECT_TYPE_PATTERN = '^[A-Za-z0-9_-]{1,100}$';
const ObjectTypeSchema = Type.String({ pattern: OBJECT_TYPE_PATTERN });

const ErrorContextSchema = Type.Object({
  at: Type.String({ description: 'when HubSpot answered, ISO 8601' }),
  attempt: Type.Integer({ minimum: 1, description: 'which attempt of the association this was, from 1' }),
  httpStatus: Type.Optional(Type.Integer()),
  category: Type.Optional(Type.String()),
  subCategory: Type.Optional(Type.String()),
  message: Type.String(),
  correlationId: Type.Optional(Type.String()),
  pairs: Type.Integer({ minimum: 0, description: 'how many pairs of the job this error concerned' }),
});
/** Why an attempt at some pairs of a job failed, in HubSpot's words. Absent fields are omitted. */
export type ErrorContext = Static<typeof ErrorContextSchema>;

const PairProgressSchema = Type.Object({
  attempts: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'how often HubSpot has refused the pairs; at most JOB_ATTEMPTS',
    }),
  ),
  suspicion: Type.Optional(
    Type.Integer({ minimum: 0, description: 'how many times the size of their batches is halved' }),
  ),
  unavailableSince: Type.Optional(
    Type.String({
      description: 'since when HubSpot has been unavailable for the pairs, ISO 8601; absent once it answers',
    }),
  ),
});
/** The history of a pair. An absent field means that it never happened. */
export type PairProgress = Readonly<Static<typeof PairProgressSchema>>;

const RejectedSchema = Type.Object({ error: ErrorContextSchema, pairs: Type.Array(PairSchema) });

/** Schema of the data of a job in the queue; any BullMQ client in any language may write it. */
export const JobDataSchema = Type.Object(
  {
    version: Type.Literal(1),
    fromObjectType: ObjectTypeSchema,
    toObjectType: ObjectTypeSchema,
    types: Type.Array(AssociationTypeSchema, { minItems: 1, maxItems: MAX_TYPES }),
    pairs: Type.Array(PairSchema, {
      description: '[from record id, to record id]; the associations that are still to be created',
    }),
    source: Type.Optional(
      Type.String({
        maxLength: 200,
        pattern: WELL_FORMED_PATTERN,
        description: 'free text: who enqueued it',
      }),
    ),
    requestId: Type.Optional(Type.String({ maxLength: 200, pattern: WELL_FORMED_PATTERN })),
    errors: Type.Optional(
      Type.Array(ErrorContextSchema, { description: 'written by the worker, newest last' }),
    ),
    progress: Type.Optional(
      Type.Array(Type.Object({ pairs: Type.Integer({ minimum: 0 }), ...PairProgressSchema.properties }), {
        description:
          'written by the worker: the history of the pairs, run-length encoded; absent while all pairs are new. If the lengths do not add up to the number of pairs, all pairs count as new',
      }),
    ),
    rejected: Type.Optional(Type.Array(RejectedSchema, { description: 'written by the worker' })),
    created: Type.Optional(
      Type.Integer({ minimum: 0, description: 'written by the worker: created so far' }),
    ),
    cancelled: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'a person took back so many of its associations; its worker only ends the job',
      }),
    ),
  },
  {
    $id: 'https://hubspot-association-queue/job.schema.json',
    title: 'Data of a job in the queue hubspot-associations',
  },
);

/** A record pair: [from record id, to record id]. */
export type Pair = readonly [from: string, to: string];
export type Rejected = { error: ErrorContext; pairs: Pair[] };

/** The data of a job after {@link parseJobData}: ids are strings. Unknown fields are kept. */
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

const jobDataCheck = Compile(JobDataSchema);
/** By default the validator stops after 8 faults without a hint that there are more. */
const MAX_FAULTS = 1_000;

/**
 * Validates the data of a job, which any client may have written.
 * @returns the data with canonical ids, or every fault with its place (`/pairs/3/0 must be …`).
 */
export function parseJobData(data: unknown): { ok: true; data: JobData } | { ok: false; faults: string[] } {
  if (!jobDataCheck.Check(data)) {
    Settings.Set({ maxErrors: MAX_FAULTS });
    const faults = jobDataCheck
      .Errors(data)
      .map(
        ({ instancePath, message }) => `${instancePath || '/'} ${idFaultAt(instancePath, data) ?? message}`,
      );
    return { ok: false, faults: [...new Set(faults)] };
  }
  const { pairs: _checked, ...others } = data;
  const faults = [...typeIdFaults(data.types), ...unreadable(others)];
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, data: inOneForm(data) };
}

/** A pattern tells a person nothing. @returns words where the place is that of a record id */
function idFaultAt(place: string, data: unknown): string | undefined {
  const [, pair, side] = /^\/pairs\/(\d+)\/([01])$/.exec(place) ?? [];
  if (pair === undefined) return undefined;
  return recordIdFault((data as { pairs: unknown[][] }).pairs[Number(pair)]?.[Number(side)]);
}

/** Nearly all jobs come in it, and without rejections: they need no copy. */
function inOneForm(data: Static<typeof JobDataSchema>): JobData {
  const { pairs, rejected, types } = data;
  if (!rejected && pairs.every(isCanonicalPair) && types.every(isTyped)) return data as JobData;
  return {
    ...data,
    types: types.map(numericType),
    pairs: pairs.map(canonicalPair),
    ...(rejected && {
      rejected: rejected.map(({ error, pairs }) => ({ error, pairs: pairs.map(canonicalPair) })),
    }),
  } as JobData;
}

type GivenPair = readonly [string | number, string | number];
const isCanonicalPair = ([from, to]: GivenPair): boolean =>
  typeof from === 'string' && typeof to === 'string' && isCanonical(from) && isCanonical(to);
const canonicalPair = ([from, to]: GivenPair): Pair => [canonicalId(from), canonicalId(to)];

type GivenType = Static<typeof AssociationTypeSchema>;
const isTyped = ({ associationTypeId }: GivenType): boolean => typeof associationTypeId === 'number';
export const numericType = <Given extends GivenType>(type: Given): Given & AssociationType => ({
  ...type,
  associationTypeId: Number(type.associationTypeId),
});

/** The pattern of a string does not enforce int32. */
const typeIdFaults = (types: readonly GivenType[]): string[] =>
  types.flatMap(({ associationTypeId }, index) =>
    Number(associationTypeId) > MAX_TYPE_ID
      ? [`/types/${index}/associationTypeId must be <= ${MAX_TYPE_ID}`]
      : [],
  );

/** Deepest nesting. HubSpot's error contexts have two levels. */
const MAX_DEPTH = 50;

/**
 * Finds values that scripts in Redis cannot read: strings with half a surrogate pair, and values that are nested too
 * deeply. Checks every field, also those that are only kept for other programs.
 */
function unreadable(value: unknown, place = '', depth = 0): string[] {
  if (typeof value === 'string')
    return value.isWellFormed() ? [] : [`${place} is not well-formed Unicode: it has half a surrogate pair`];
  if (typeof value !== 'object' || value === null) return [];
  if (depth > MAX_DEPTH) return [`${place.slice(0, MAX_DEPTH)}… is nested deeper than ${MAX_DEPTH} levels`];
  return Object.entries(value).flatMap(([name, field]) => {
    const at = `${place}/${name.toWellFormed()}`;
    if (!name.isWellFormed()) return [`${at} is not well-formed Unicode: the name has half a surrogate pair`];
    return unreadable(field, at, depth + 1);
  });
}

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
    throw new RangeError(`${quote(text)} is not an association type (such as HUBSPOT_DEFINED:279)`);
  return type;
}
