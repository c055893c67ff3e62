/** Refusals of a request, in HubSpot's error shape. Pure. */
import { withoutAddresses } from '../shared/contract/errors.js';

/** One reason; `in` names the place: `inputs[3].from.id`, a header, a path parameter. */
export type Fault = { message: string; in?: string };

export const CATEGORIES = {
  400: 'VALIDATION_ERROR',
  401: 'INVALID_AUTHENTICATION',
  404: 'OBJECT_NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  421: 'MISDIRECTED_REQUEST',
  422: 'VALIDATION_ERROR',
  429: 'RATE_LIMITS',
  431: 'VALIDATION_ERROR',
  500: 'INTERNAL_ERROR',
  503: 'SERVICE_UNAVAILABLE',
} as const satisfies Record<number, string>;
export type RefusalStatus = keyof typeof CATEGORIES;

/** A refusal. Nothing of the request was enqueued, unless the message says that this is unknown. */
export class Refusal extends Error {
  constructor(
    readonly status: RefusalStatus,
    message: string,
    readonly faults: readonly Fault[] = [],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

export const unavailable = (message: string, retryAfterSeconds = 2): Refusal =>
  new Refusal(503, withoutAddresses(message), [], { 'retry-after': String(retryAfterSeconds) });

/** Tells the caller that a repeat is safe. */
export const NOTHING_ENQUEUED = 'nothing was enqueued';
const REPEAT =
  'repeat it, with the same Idempotency-Key if it has one; to create an association twice is harmless';
export const MAYBE_ENQUEUED = `all of it or nothing was enqueued, which is not known: ${REPEAT}`;
/** Redis has it, and too few replicas have. */
export const MAYBE_KEPT = REPEAT;

/** Adds to a 503 what it means for the request. Other errors stay unchanged. */
export const withFate = (error: unknown, fate: string): unknown =>
  error instanceof Refusal && error.status === 503
    ? new Refusal(503, `${error.message}; ${fate}`, error.faults, error.headers)
    : error;

export const wrongHost = (): Refusal =>
  new Refusal(421, 'This gateway has no keys (GATEWAY_API_KEYS) and answers to a loopback address only');

export const compressed = (coding: string): Refusal =>
  new Refusal(415, 'The body must come as it is', [
    {
      message: `content-encoding ${clip(coding)} is not taken: send the JSON uncompressed`,
      in: 'content-encoding',
    },
  ]);

export const listRefusal = (faults: readonly Fault[]): Refusal =>
  new Refusal(400, 'This list cannot be given', faults);

export const full = (): Refusal =>
  new Refusal(429, 'Too many associations are queued: try again later', [], { 'retry-after': '10' });

export type RefusalBody = {
  status: 'error';
  message: string;
  correlationId: string;
  category: string;
  errors: readonly Fault[];
};

export const refusalBody = (refusal: Refusal, correlationId: string): RefusalBody => ({
  status: 'error',
  message: refusal.message,
  correlationId,
  category: CATEGORIES[refusal.status],
  errors: refusal.faults,
});

/** Turns errors of fastify and its parsers into refusals. Undefined if the error is not about the request. */
export function asRefusal(error: {
  statusCode?: number;
  code?: string;
  message: string;
}): Refusal | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Refusal(413, 'The body is too large: send the inputs in several requests', [
        { message: error.message, in: 'body' },
      ]);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Refusal(415, 'The body must be application/json', [
        { message: error.message, in: 'content-type' },
      ]);
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      // HubSpot's words
      return new Refusal(400, 'Invalid input JSON', [{ message: clip(error.message), in: 'body' }]);
    default: {
      const status = error.statusCode ?? 500;
      if (status < 400 || status >= 500) return undefined;
      return new Refusal(status in CATEGORIES ? (status as RefusalStatus) : 400, clip(error.message));
    }
  }
}

const clip = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);
