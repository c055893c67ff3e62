/**
 * How a wait for a request ended: its exit code (shared/contract/exit-codes.ts), and what to do next. Pure.
 */
import { NOT_OVER } from '../../shared/contract/exit-codes.js';
import type { RequestView } from '../../shared/state/requests.js';
import { nextSteps } from '../text/request-words.js';

/** Why a wait ended before its request. */
export type Early = 'time is up' | 'interrupted' | undefined;

/** @returns the exit code */
export function codeOf(
  { state, rejected, cancelled }: Pick<RequestView, 'state' | 'rejected' | 'cancelled'>,
  early: Early,
): number {
  if (early || state === 'interrupted') return NOT_OVER;
  return rejected + cancelled > 0 || state === 'cancelled' ? 1 : 0;
}

/** Lines for a person. */
export function adviceOf(request: RequestView, early: Early): string[] {
  const why = early ? [`${early}: the request goes on without this command`] : [];
  const steps = nextSteps(request);
  return [...why, ...(steps.length > 0 ? ['next:', ...steps.map(step => `  ${step}`)] : [])];
}
