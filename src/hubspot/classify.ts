/**
 * Classifies an answer for the whole call: one table, with a fact about HubSpot beside each row. Pure.
 * reconcile.ts finds the inputs that the answer concerns; sending.ts acts on the verdict.
 */

/** What came back over HTTP. `body` is the parsed JSON, or undefined if there was no body or it did not parse. */
export type Answer =
  | {
      readonly kind: 'answer';
      readonly at: string;
      readonly status: number;
      readonly body: unknown;
      /** 2xx, no errors, and every input in the results. The thread that reads the body sets this and keeps the body. */
      readonly listsAll?: true;
      readonly retryAfterMs?: number;
      /** HubSpot's support finds the call by this id */
      readonly correlationId?: string;
    }
  /** no answer: HubSpot may or may not have executed the call */
  | { readonly kind: 'none'; readonly at: string; readonly category: string; readonly message: string };

/** An error in HubSpot's words. Absent fields are omitted. */
type Words = {
  readonly httpStatus?: number | undefined;
  readonly category?: string | undefined;
  readonly subCategory?: string | undefined;
  readonly message: string;
};

export type CallVerdict =
  /** `results` and `errors` decide; 200, 201 and 207 mean the same */
  | { readonly kind: 'accepted' }
  /** HubSpot objects to an input or to the object pair */
  | { readonly kind: 'refused' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'rate-limited'; readonly policy: string; readonly forMs: number | undefined }
  | { readonly kind: 'migrating'; readonly forMs: number }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'forbidden' }
  /** HubSpot objects to the account, whatever the call contains */
  | { readonly kind: 'wrong-account' }
  | { readonly kind: 'locked'; readonly forMs: number }
  /** HubSpot or the network fails, whatever the call contains */
  | { readonly kind: 'unavailable' };

/** Longest hold after a 423. */
const LONGEST_LOCK_MS = 600_000;

type Row = readonly [
  status: (status: number) => boolean,
  verdict: (answer: Answer & { kind: 'answer' }) => CallVerdict,
];

const is =
  (...statuses: number[]) =>
  (status: number) =>
    statuses.includes(status);

/** The first matching row wins. */
const ROWS: readonly Row[] = [
  // v4 declares 201 and 207, 2026-09 only 200; v3 moved from 201 to 200 unannounced. If the body is no JSON object, the
  // answer comes from a proxy or a captive portal, not from HubSpot.
  [s => s >= 200 && s < 300, a => ({ kind: a.listsAll || isObject(a.body) ? 'accepted' : 'unavailable' })],
  // EXPIRED_AUTHENTICATION or INVALID_AUTHENTICATION: this is about the token, not about the associations
  [is(401), () => ({ kind: 'unauthorized' })],
  // MISSING_SCOPES: the app may not write this object pair
  [is(403), () => ({ kind: 'forbidden' })],
  [is(413), () => ({ kind: 'too-large' })],
  // "Locked, wait at least 2 seconds"
  [
    is(423),
    a => ({ kind: 'locked', forMs: Math.min(Math.max(2_000, a.retryAfterMs ?? 0), LONGEST_LOCK_MS) }),
  ],
  // `policyName` names the policy; HubSpot does not promise a Retry-After
  [
    is(429),
    a => ({ kind: 'rate-limited', policy: text(field(a.body, 'policyName')) ?? '', forMs: a.retryAfterMs }),
  ],
  // HubSpot is moving the account between data centres: Retry-After in seconds, up to 24 h
  [is(477), a => ({ kind: 'migrating', forMs: a.retryAfterMs || 60_000 })],
  // 408 and 425 are about the connection, not about the inputs
  [is(408, 425), () => ({ kind: 'unavailable' })],
  // Any other 4xx is about what was sent, provided that HubSpot wrote it: a wrong base URL answers 404 in HTML.
  // Without a category it may be about the account: "Hub 1 is unknown to this Hublet, but it appears to exist in …" [live]
  [
    s => s >= 400 && s < 500,
    a => ({
      kind: !looksLikeHubSpot(a.body) ? 'unavailable' : speaksOfAccount(a.body) ? 'wrong-account' : 'refused',
    }),
  ],
  // 500, 502, 503, 504, 521–526, and every other status (a redirect means a wrong base URL): wait and retry
  [() => true, () => ({ kind: 'unavailable' })],
];

export function classifyCall(answer: Answer): CallVerdict {
  if (answer.kind === 'none') return { kind: 'unavailable' };
  const row = ROWS.find(([matches]) => matches(answer.status));
  return row ? row[1](answer) : { kind: 'unavailable' };
}

/** Inputs with an error of these categories fail on every retry. */
const FINAL_CATEGORIES = new Set(['VALIDATION_ERROR', 'OBJECT_NOT_FOUND']);
/** The limit on associations per record. HubSpot reports it in any of the fields and under various categories. */
const FINAL_WORDS = /ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED/;

/** @returns true if an input with this error must not be retried. Unknown categories are retried. */
export function isFinal(failure: Words): boolean {
  if (failure.category !== undefined && FINAL_CATEGORIES.has(failure.category)) return true;
  return FINAL_WORDS.test(`${failure.category} ${failure.subCategory} ${failure.message}`);
}

/** Like {@link isFinal}, for an error that names the input: here a 400 without a category is final as well. */
export function isFinalNamed(failure: Words): boolean {
  return isFinal(failure) || isMute(failure);
}

/** A 400 without a category. HubSpot also sends one for malformed JSON, so by itself it accuses no input. */
export const isMute = ({ category, httpStatus }: Words): boolean =>
  category === undefined && httpStatus === 400;

const ACCOUNT_WORDS =
  /\bhublet\b|\b(?:hub|portal|account)\b[^.]{0,60}\b(?:unknown|not found|does not exist|suspended|deactivated|disabled|deleted|inactive|cancell?ed|expired)\b/i;

const speaksOfAccount = (body: unknown): boolean =>
  text(field(body, 'category')) === undefined && ACCOUNT_WORDS.test(text(field(body, 'message')) ?? '');

/** Names of context fields that explain a refusal: missing scopes, exceeded limits. */
const TELLING = /scope|limit/i;
const MOST_DETAILS = 5;
const LONGEST_DETAIL = 100;

/** @returns ` (requiredGranularScopes: crm.objects.contacts.write)`, or an empty string */
export function whyOf(body: unknown): string {
  const errors = field(body, 'errors');
  const contexts = [body, ...(Array.isArray(errors) ? errors : [])].map(one => field(one, 'context'));
  const details = contexts.flatMap(context => (isObject(context) ? Object.entries(context) : []));
  const told = details.flatMap(([name, value]) => {
    if (!TELLING.test(name)) return [];
    const values = (Array.isArray(value) ? value : [value])
      .filter(one => typeof one === 'string' || typeof one === 'number')
      .slice(0, MOST_DETAILS);
    return values.length > 0 ? [`${name}: ${values.map(one => clean(String(one))).join(', ')}`] : [];
  });
  const some = [...new Set(told)].slice(0, MOST_DETAILS);
  return some.length > 0 ? ` (${some.join('; ')})` : '';
}

/** @returns the value without control characters, cut to {@link LONGEST_DETAIL} code points */
const clean = (value: string): string => [...value.replace(/\p{C}/gu, '')].slice(0, LONGEST_DETAIL).join('');

/** @returns how long a 429 without Retry-After holds all calls, by HubSpot's `policyName`. DAILY lasts until the reset. */
export function rateLimitPauseMs(policy: string, windowMs: number): number | 'until-reset' {
  if (policy === 'DAILY') return 'until-reset';
  return policy === 'SECONDLY' ? 1_000 : windowMs;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const field = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** HubSpot's errors have a message and at least one of status, category, correlationId and errorType. */
const looksLikeHubSpot = (body: unknown): boolean =>
  text(field(body, 'message')) !== undefined &&
  ['status', 'category', 'correlationId', 'errorType'].some(name => text(field(body, name)) !== undefined);
