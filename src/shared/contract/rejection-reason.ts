/** Why a job has failed, in one sentence: the dead letter's `failedReason`. Pure. */
import type { ErrorContext, Rejected } from './association.js';

/** @param created how many of the job's associations were created */
export function rejectionReason(rejected: readonly Rejected[], created: number): string {
  const count = rejected.reduce((total, rejection) => total + rejection.pairs.length, 0);
  const first = rejected.slice(0, 3).map(({ error, pairs }) => `${pairs.length} × ${errorWords(error)}`);
  const more = rejected.length > 3 ? `; and ${rejected.length - 3} more reasons` : '';
  return `${count} of ${count + created} rejected: ${first.join('; ')}${more}`;
}

export const errorWords = ({ category, message }: ErrorContext): string =>
  category ? `${category}: ${message}` : message;
