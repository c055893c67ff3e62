/** The public API of the package: everything that an application needs to enqueue associations. */
export type { HubSpotOptions } from './labels/open-labels.js';
export type {
  Cancelled,
  EnqueueManyOptions,
  EnqueueOptions,
  FollowOptions,
  ManyRequestOptions,
  Producer,
  ProducerOptions,
  Receipt,
  RequestOptions,
} from './producer/api.js';
export type { Associations, Enqueued } from './producer/enqueue-many.js';
export { createProducer } from './producer/producer.js';
export {
  ASSOCIATION_CATEGORIES,
  type Association,
  type AssociationCategory,
  type AssociationType,
  MAX_PAIRS_PER_JOB,
  parseType,
  typeText,
} from './shared/contract/association.js';
export {
  ConfigError,
  EnqueueError,
  type EnqueueProgress,
  InvalidAssociationError,
  LabelLookupError,
  RedisUnavailableError,
  RequestCancelledError,
  SharedRequestError,
  UnknownRequestError,
} from './shared/contract/errors.js';
export type { Priority } from './shared/contract/keys.js';
export type { RequestReason, RequestState, RequestView } from './shared/state/requests.js';
