/**
 * The bodies on the wire: TypeBox schemas, the single source of the validation, of /openapi.json and of the types.
 * What an id, a type or an object type may look like is said in shared/contract/association.ts. Headers and paths stand
 * with their routes.
 */

import { ASSOCIATION_CATEGORIES, MAX_LABEL_LENGTH, MAX_TYPES } from '../shared/contract/association.js';
import { RecordIdSchema, TypeIdSchema } from '../shared/contract/job-schema.js';
import { TEXT_PATTERN } from '../shared/contract/record-id.js';
import { type Static, Type } from '../shared/contract/typebox.js';
import { REQUEST_STATES } from '../shared/state/requests.js';

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

/** HubSpot's words. */
const BatchStatus = Type.Enum(['PENDING', 'COMPLETE', 'CANCELED']);

export const AnswerSchema = Type.Object({
  status: BatchStatus,
  results: Type.Array(ResultSchema),
  numErrors: Type.Optional(Type.Integer({ minimum: 1 })),
  errors: Type.Optional(Type.Array(ErrorSchema)),
  requestedAt: Moment('when the request was accepted first'),
  startedAt: Moment('the same'),
  completedAt: Type.Optional(Moment('when the last association had its outcome; absent while PENDING')),
  links: Links,
});
export type BatchAnswer = Static<typeof AnswerSchema>;

/** A request in a list. */
const requestFields = {
  id: Type.String(),
  name: Type.Optional(Type.String({ description: 'X-Request-Name' })),
  source: Type.Optional(Type.String()),
  account: Type.String(),
  via: Type.Enum(['file', 'library', 'gateway'], { description: 'the way in' }),
  by: Type.Optional(Type.String({ description: 'who enqueued it; the beginning of a hash of the key' })),
  state: Type.Enum([...REQUEST_STATES]),
  enqueuedAt: Moment('when it was accepted'),
  firstAt: Type.Optional(Moment('when the first outcome was counted')),
  lastAt: Type.Optional(Moment('when the latest outcome was counted')),
  doneAt: Type.Optional(Moment('when nothing was queued any more')),
  doneAbout: Type.Optional(Moment('when it will be done at its own rate')),
  accepted: Type.Integer({ description: 'inputs of the request' }),
  created: Type.Integer(),
  rejected: Type.Integer(),
  cancelled: Type.Integer({ description: 'taken back' }),
  queued: Type.Integer({ description: 'accepted = created + rejected + cancelled + queued' }),
  refusedLines: Type.Integer({ description: 'of a file' }),
  cancelledBy: Type.Optional(Type.String()),
  interrupted: Type.Optional(Type.String({ description: 'why it was not enqueued as a whole' })),
};
const ReasonSchema = Type.Object({
  category: Type.String(),
  message: Type.String(),
  count: Type.Integer(),
});

export const StatusSchema = Type.Object({
  ...requestFields,
  status: BatchStatus,
  rejections: Type.Array(ReasonSchema, { description: 'by reason, the most frequent first' }),
  requestedAt: Moment('the same as enqueuedAt'),
  completedAt: Type.Optional(Moment('the same as doneAt')),
  errors: Type.Array(ErrorSchema, { description: 'each rejected association; the first 1,000' }),
});
export type Status = Static<typeof StatusSchema>;

export const ListSchema = Type.Object({
  requests: Type.Array(Type.Object(requestFields)),
  after: Type.Optional(
    Type.String({
      description: 'there may be more: pass it as `after`. A page may have fewer requests than its limit',
    }),
  ),
});
export type List = Static<typeof ListSchema>;

export const CancelledSchema = Type.Object({
  id: Type.String(),
  cancelled: Type.Integer({ description: 'associations taken back, now or before' }),
  decided: Type.Integer({ description: 'created or rejected: they stay' }),
  queued: Type.Integer({ description: 'not yet taken back, or in a call to HubSpot' }),
  links: Links,
});
export type Cancelled = Static<typeof CancelledSchema>;

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
