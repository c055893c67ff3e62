/**
 * The schema of a job's data, which any BullMQ client in any language may write, and its validation.
 * docs/job.schema.json is generated from it; test/unit/shared/contract/job-schema.test.ts compares it with the types in association.ts.
 *
 * Pure: no I/O, no clock.
 */
import {
  ASSOCIATION_CATEGORIES,
  type AssociationType,
  type JobData,
  MAX_TYPE_ID,
  MAX_TYPES,
  OBJECT_TYPE_PATTERN,
  type Pair,
  TYPE_ID_PATTERN,
} from './association.js';
import { canonicalId, ID_PATTERN, isCanonical, recordIdFault, WELL_FORMED_PATTERN } from './record-id.js';
import { Compile, Settings, type Static, Type } from './typebox.js';

export const TypeIdSchema = Type.Union([
  Type.Integer({ minimum: 1, maximum: MAX_TYPE_ID }),
  Type.String({ pattern: TYPE_ID_PATTERN, description: 'the same number as a string' }),
]);
const AssociationTypeSchema = Type.Object({
  associationCategory: Type.Enum([...ASSOCIATION_CATEGORIES]),
  associationTypeId: TypeIdSchema,
});
export const RecordIdSchema = Type.Union(
  [Type.String({ pattern: ID_PATTERN }), Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })],
  { description: 'a string or an integer; leading zeros are ignored' },
);
const PairSchema = Type.Tuple([RecordIdSchema, RecordIdSchema], { minItems: 2, maxItems: 2 });
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
