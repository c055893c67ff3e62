/** Failure: HubSpot's answer, or one error in it, in words that may be stored in a job, logged, or given as the reason of a hold. Pure. */
import { type Answer, field, text, whyOf } from '../../hubspot/classify.js';
import { enteringWords } from '../../shared/runtime/text.js';
import type { Failure } from '../batches/outcome.js';
import type { HubSpotError } from './locate.js';

/** @returns the failure of every input of a call that HubSpot refused as a whole, or did not answer */
export function failureOf(answer: Answer): Failure {
  if (answer.kind === 'none') return { at: answer.at, category: answer.category, message: answer.message };
  const category = categoryIn(answer.body) ?? `HTTP_${answer.status}`;
  const { correlationId } = answer;
  return {
    at: answer.at,
    httpStatus: answer.status,
    category,
    message: wordsOf(answer),
    ...(correlationId && { correlationId }),
  };
}

/** @returns the failure of the inputs that one error of an answer means */
export function failureOfError(error: HubSpotError, answer: Answer & { kind: 'answer' }): Failure {
  const correlationId = error.correlationId ?? answer.correlationId;
  return {
    at: answer.at,
    httpStatus: answer.status,
    ...(error.category && { category: error.category }),
    ...(error.subCategory && { subCategory: error.subCategory }),
    message: shorten(error.message + whyOf(error)),
    ...(correlationId && { correlationId }),
  };
}

const NO_EFFECT = 'NO_EFFECT';
/** @returns the failure of an input that an accepted call does not mention */
export const noEffect = (answer: Answer & { kind: 'answer' }): Failure => ({
  at: answer.at,
  httpStatus: answer.status,
  category: NO_EFFECT,
  ...(answer.correlationId && { correlationId: answer.correlationId }),
  message: `accepted without effect: HubSpot answered ${answer.status} and mentioned this association neither in results nor in errors`,
});

/** @returns the reason of a hold */
export const said = (answer: Answer): string =>
  `${answer.kind === 'answer' ? `${answer.status} from HubSpot: ` : ''}${wordsOf(answer)}`;

/** @returns HTTP status, or TIMEOUT and the like */
export const statusOf = (answer: Answer): string =>
  answer.kind === 'answer' ? String(answer.status) : answer.category;

/** @returns the call for a batch's record: its status and HubSpot's correlation id, if there is one */
export const recordOf = (answer: Answer): string =>
  `${statusOf(answer)} ${(answer.kind === 'answer' && answer.correlationId) || ''}`.trim();

/** @returns the category in a form that may be stored in a job */
function categoryIn(body: unknown): string | undefined {
  const category = text(field(body, 'category'));
  return category === undefined ? undefined : enteringWords(category, MAX_WORD);
}

/** @returns HubSpot's message, or the status if there is none */
function wordsOf(answer: Answer): string {
  if (answer.kind === 'none') return answer.message;
  return shorten((text(field(answer.body, 'message')) ?? `HTTP ${answer.status}`) + whyOf(answer.body));
}

/** Longest message, because every job concerned stores it. */
const MAX_MESSAGE = 500;
const shorten = (message: string): string => enteringWords(message, MAX_MESSAGE);
/** Longest category or id, so that an unusual one does not enlarge jobs. */
export const MAX_WORD = 100;
