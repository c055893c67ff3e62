/**
 * HubSpot's answers to failed calls: refusals (400), credentials, limits, locks, server errors.
 * The bodies are recorded ones where a recording exists; the others have only the fields that every body has.
 */
export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** an object is sent as JSON, with a new correlation id if it has none; a string is sent unchanged, as HTML */
  readonly body?: unknown;
  /** serialized JSON; takes precedence over body */
  readonly json?: string;
};

/** A 400 for the whole call. */
export type BadRequest = Reply & { readonly status: 400 };

type Context = Readonly<Record<string, readonly string[]>>;

const errorBody = (message: string, more: Record<string, unknown> = {}) => ({
  status: 'error',
  message,
  ...more,
});

export const refusal = (message: string, context?: Context): BadRequest => ({
  status: 400,
  body: errorBody(message, { category: 'VALIDATION_ERROR', ...(context && { context }) }),
});

/** The refusal of malformed JSON has no category. */
export const refusalOfJson = (): BadRequest => ({
  status: 400,
  body: errorBody('Invalid input JSON on line 1, column 1: Unexpected character'),
});

const DOCS = 'https://developers.hubspot.com/docs';

export const unauthorized = (
  category: 'INVALID_AUTHENTICATION' | 'EXPIRED_AUTHENTICATION' = 'INVALID_AUTHENTICATION',
): Reply => ({
  status: 401,
  body: errorBody(
    category === 'INVALID_AUTHENTICATION'
      ? `Authentication credentials not found. This API supports OAuth 2.0 authentication, see ${DOCS}`
      : 'The OAuth token used to make this call expired 5 minute(s) ago.',
    { category },
  ),
});

export const forbidden = (scopes: readonly string[] = ['crm.objects.contacts.write']): Reply => ({
  status: 403,
  body: errorBody("This app hasn't been granted all required scopes to make this call.", {
    category: 'MISSING_SCOPES',
    errors: [
      {
        message: 'One or more of the following scopes are required.',
        context: { requiredGranularScopes: scopes },
      },
    ],
  }),
});

export const locked = (): Reply => ({ status: 423, body: errorBody('This resource is locked.') });

const POLICIES = {
  TEN_SECONDLY_ROLLING: 'ten_secondly_rolling',
  SECONDLY: 'secondly',
  DAILY: 'daily',
} as const;
export type RateLimitPolicy = keyof typeof POLICIES;

/** Has `errorType`, not `category`, and Retry-After (seconds) only if the option asks for it. */
export const rateLimited = (
  policyName: RateLimitPolicy = 'TEN_SECONDLY_ROLLING',
  retryAfterSeconds?: number,
): Reply => ({
  status: 429,
  ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
  body: errorBody(`You have reached your ${POLICIES[policyName]} limit.`, {
    errorType: 'RATE_LIMIT',
    policyName,
  }),
});

export const migrating = (retryAfterSeconds = 86_400): Reply => ({
  status: 477,
  headers: { 'Retry-After': String(retryAfterSeconds) },
  body: errorBody('This account is currently being migrated between data hosting locations.'),
});

/** 500 and 503 come from the API as JSON; the others come from the network in front of it as HTML. */
export const serverError = (status = 503): Reply => ({
  status,
  body:
    status === 500 || status === 503
      ? errorBody(status === 500 ? 'internal error' : 'Service temporarily unavailable')
      : `<html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>`,
});

export const notFound = (path: string): Reply => ({
  status: 404,
  body: errorBody(`No resource at ${path}`, { category: 'OBJECT_NOT_FOUND' }),
});

/** @returns the usual answer with a status, for a scripted fault without a body */
export function usualReply(status: number): Reply {
  switch (status) {
    case 400:
      return refusal('One or more associations are invalid');
    case 401:
      return unauthorized();
    case 403:
      return forbidden();
    case 423:
      return locked();
    case 429:
      return rateLimited();
    case 477:
      return migrating();
    default:
      return status >= 500 ? serverError(status) : { status, body: errorBody(`status ${status}`) };
  }
}
