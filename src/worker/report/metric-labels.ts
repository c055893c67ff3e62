/**
 * Turns HubSpot's words into bounded label values: an unknown value becomes `other`, so that no answer creates a new time
 * series. Pure.
 */
import type { ErrorContext } from '../../shared/contract/association.js';
import type { LedgerEntry } from '../jobs/ledger.js';

const CATEGORIES = new Set([
  'VALIDATION_ERROR',
  'OBJECT_NOT_FOUND',
  'OBJECT_ALREADY_EXISTS',
  'CONFLICT',
  'MISSING_SCOPES',
  'BANNED',
  'RATE_LIMITS',
  'EXPIRED_AUTHENTICATION',
  'INVALID_AUTHENTICATION',
  'DISABLED',
  'INTERNAL_ERROR',
  // our categories, if HubSpot gave none
  'TIMEOUT',
  'CONNECTION_ERROR',
  'ANSWER_TOO_LARGE',
  'NO_EFFECT',
  ...[408, 425, 500, 502, 503, 504].map(status => `HTTP_${status}`),
]);
const STATUSES = new Set(
  [
    ...[200, 201, 202, 207, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 422, 423, 425, 429, 477],
    ...[500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526],
  ].map(String),
);

/** HubSpot's error category; `none` if it gave none. */
export const categoryLabel = (category: string | undefined): string =>
  category === undefined ? 'none' : CATEGORIES.has(category) ? category : 'other';

/** HTTP status, or TIMEOUT and the like. */
export const statusLabel = (status: string): string =>
  STATUSES.has(status) || CATEGORIES.has(status) ? status : 'other';

/** The part of a settlement that is counted. */
export type Settled = Pick<LedgerEntry, 'data' | 'created' | 'rejected' | 'retried'>;

export type CountedErrors = readonly (readonly [category: string, pairs: number])[];

/** @returns the categories of a settlement's rejections and retries. In the data the newest errors are last. */
export function errorsOf({ data, rejected, retried }: Settled): {
  rejected: CountedErrors;
  retried: CountedErrors;
} {
  return {
    rejected: newest(data?.rejected?.map(({ error }) => error) ?? [], rejected),
    retried: newest(data?.errors ?? [], retried),
  };
}

function newest(errors: readonly ErrorContext[], pairs: number): CountedErrors {
  const found: [string, number][] = [];
  let left = pairs;
  for (let at = errors.length - 1; at >= 0 && left > 0; at--) {
    const error = errors[at] as ErrorContext;
    const counted = Math.min(error.pairs, left);
    found.push([categoryLabel(error.category), counted]);
    left -= counted;
  }
  // a job keeps only its latest errors
  if (left > 0) found.push(['other', left]);
  return found;
}
