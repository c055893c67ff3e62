/**
 * The bodies on the wire: TypeBox schemas, the single source of the validation, of /openapi.json and of the types.
 * What an id, a type or an object type may look like is said in shared/contract/association.ts. Headers and paths stand
 * with their routes.
 */
import { type Static, Type } from 'typebox';
import {
  ASSOCIATION_CATEGORIES,
  MAX_LABEL_LENGTH,
  MAX_TYPES,
  RecordIdSchema,
  TypeIdSchema,
} from '../shared/contract/association.js';
import { TEXT_PATTERN } from '../shared/contract/record-id.js';

const RecordSchema = Type.Object({ id: RecordIdSchema }, { additionalProperties: false });

const TypeSchema = Type.Object({
  associationCategory: Type.Enum([...ASSOCIATION_CATEGORIES]),
  associationTypeId: TypeIdSchema,
});

export const InputSchema = Type.Object(
  {
    from: RecordSchema,
    to: RecordSchema,
    types: Type.Optional(
      Type.Array(TypeSchema, {
        minItems: 1,
        maxItems: MAX_TYPES,
        description: "left out, and without a label: HubSpot's unlabelled type of the object pair",
      }),
    ),
    label: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_LABEL_LENGTH,
        pattern: `^(?=[\\s\\S]*\\S)${TEXT_PATTERN.slice(1)}`,
        description: 'name of an association label for this direction; beside types, one type more',
      }),
    ),
  },
  { additionalProperties: false },
);
export type Input = Static<typeof InputSchema>;

export const requestSchema = (maxInputs: number) =>
  Type.Object(
    { inputs: Type.Array(InputSchema, { minItems: 1, maxItems: maxInputs }) },
    { description: "HubSpot's own body of batch/create, with more inputs" },
  );

const Moment = (description: string) => Type.String({ format: 'date-time', description });
const Links = Type.Object({ status: Type.String({ description: 'where the counts are: /requests/{id}' }) });

export const ResultSchema = Type.Object({
  fromObjectTypeId: Type.String(),
  fromObjectId: Type.String(),
  toObjectTypeId: Type.String(),
  toObjectId: Type.String(),
  labels: Type.Array(Type.String(), { description: 'always empty: the queue does not read them back' }),
});
export type Result = Static<typeof ResultSchema>;

export const ErrorSchema = Type.Object({
  status: Type.Literal('error'),
  category: Type.String(),
  subCategory: Type.Optional(Type.String()),
  message: Type.String({ description: "HubSpot's words" }),
  id: Type.Optional(Type.String({ description: "correlation id of HubSpot's answer" })),
  context: Type.Record(Type.String(), Type.Array(Type.String()), {
    description: 'fromObjectType, fromObjectId, toObjectType, toObjectId of the association',
  }),
});
export type AssociationError = Static<typeof ErrorSchema>;

export const AnswerSchema = Type.Object({
  status: Type.Union([Type.Literal('PENDING'), Type.Literal('COMPLETE')]),
  results: Type.Array(ResultSchema),
  numErrors: Type.Optional(Type.Integer({ minimum: 1 })),
  errors: Type.Optional(Type.Array(ErrorSchema)),
  requestedAt: Moment('when the request was accepted first'),
  startedAt: Moment('the same'),
  completedAt: Moment('when the last association had its outcome; while PENDING, when it was accepted'),
  links: Links,
});
export type BatchAnswer = Static<typeof AnswerSchema>;

export const StatusSchema = Type.Object({
  id: Type.String(),
  status: Type.Union([Type.Literal('PENDING'), Type.Literal('COMPLETE')]),
  accepted: Type.Integer({ description: 'inputs of the request' }),
  created: Type.Integer(),
  rejected: Type.Integer(),
  queued: Type.Integer({ description: 'accepted = created + rejected + queued' }),
  requestedAt: Moment('when it was accepted'),
  completedAt: Type.Optional(Moment('when nothing was queued any more')),
  errors: Type.Array(ErrorSchema, { description: 'why some were rejected; the first 1,000' }),
});
export type Status = Static<typeof StatusSchema>;

export const RefusalSchema = Type.Object({
  status: Type.Literal('error'),
  message: Type.String(),
  correlationId: Type.String(),
  category: Type.String(),
  errors: Type.Array(
    Type.Object({
      message: Type.String(),
      in: Type.Optional(Type.String({ description: 'the place, such as inputs[3].from.id' })),
    }),
  ),
});
