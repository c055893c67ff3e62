/**
 * The library: everything that an application needs to enqueue associations and to follow them. The package
 * hubspot-association-queue-client is this file with what it reaches; the app's package exports it as well.
 */
export type { HubSpotOptions } from './labels/hubspot-options.js';
export type {
  Associations,
  Cancelled,
  Enqueued,
  EnqueueManyOptions,
  EnqueueOptions,
  FollowOptions,
  ManyRequestOptions,
  Producer,
  ProducerOptions,
  Receipt,
  RequestOptions,
} from './producer/api.js';
export { createProducer } from './producer/create-producer.js';
export {
  ASSOCIATION_CATEGORIES,
  type AssociationCategory,
  type AssociationType,
  MAX_PAIRS_PER_JOB,
  parseType,
  typeText,
} from './shared/contract/association.js';
export type { AssociationInput, TypeInput } from './shared/contract/association-input.js';
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
export type { RequestFile, RequestReason, RequestState, RequestView, Via } from './shared/state/requests.js';
