/**
 * What an answer means for the whole call: one table, a fact of HubSpot's beside each row. Pure.
 * Which inputs it concerns is reconcile.ts's business; what is done about it, delivery.ts's.
 */

/** What came back over HTTP. `body` is the parsed JSON, undefined where there was none or it did not parse. */
export type Answer =
  | {
      readonly kind: 'answer';
      readonly at: string;
      readonly status: number;
      readonly body: unknown;
      /** 2xx, every input stands in the results, no errors: seen where the body was read, and the body left there */
      readonly listsAll?: true;
      readonly retryAfterMs?: number;
      /** by which HubSpot's support finds the call */
      readonly correlationId?: string;
    }
  /** no answer: the call may or may not have been carried out */
  | { readonly kind: 'none'; readonly at: string; readonly category: string; readonly message: string };

/** An error in HubSpot's words; absent fields are left out. */
type Words = {
  readonly httpStatus?: number | undefined;
  readonly category?: string | undefined;
  readonly subCategory?: string | undefined;
  readonly message: string;
};

export type CallVerdict =
  /** read `results` and `errors`: the status code decides nothing between 200, 201 and 207 */
  | { readonly kind: 'accepted' }
  /** an input, or the object pair, is at fault */
  | { readonly kind: 'refused' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'rate-limited'; readonly policy: string; readonly forMs: number | undefined }
  | { readonly kind: 'migrating'; readonly forMs: number }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'forbidden' }
  /** the account itself is at fault, whatever was sent */
  | { readonly kind: 'wrong-account' }
  | { readonly kind: 'locked'; readonly forMs: number }
  /** nobody's fault: HubSpot or the way to it is in trouble */
  | { readonly kind: 'unavailable' };

/** No lock of a record lasts longer. */
const LONGEST_LOCK_MS = 600_000;

type Row = readonly [
  status: (status: number) => boolean,
  verdict: (answer: Answer & { kind: 'answer' }) => CallVerdict,
];

const is =
  (...statuses: number[]) =>
  (status: number) =>
    statuses.includes(status);

/** The first row that matches holds. */
const ROWS: readonly Row[] = [
  // v4 declares 201 and 207, 2026-09 only 200; v3 moved from 201 to 200 unannounced. Without a JSON object in it, it is
  // not HubSpot who answered (a proxy, a captive portal).
  [s => s >= 200 && s < 300, a => ({ kind: a.listsAll || isObject(a.body) ? 'accepted' : 'unavailable' })],
  // EXPIRED_AUTHENTICATION or INVALID_AUTHENTICATION: a token says nothing about associations
  [is(401), () => ({ kind: 'unauthorized' })],
  // MISSING_SCOPES: the app may not write this object pair
  [is(403), () => ({ kind: 'forbidden' })],
  [is(413), () => ({ kind: 'too-large' })],
  // "Locked, wait at least 2 seconds"
  [
    is(423),
    a => ({ kind: 'locked', forMs: Math.min(Math.max(2_000, a.retryAfterMs ?? 0), LONGEST_LOCK_MS) }),
  ],
  // the policy is in `policyName`; Retry-After is not promised
  [
    is(429),
    a => ({ kind: 'rate-limited', policy: text(field(a.body, 'policyName')) ?? '', forMs: a.retryAfterMs }),
  ],
  // the account is being moved between data centres: Retry-After in seconds, up to 24 h
  [is(477), a => ({ kind: 'migrating', forMs: a.retryAfterMs || 60_000 })],
  // 408 and 425 speak of the connection, not of the inputs
  [is(408, 425), () => ({ kind: 'unavailable' })],
  // Anything else in the 4xx is about what was sent, if it is HubSpot who says so: a wrong base URL answers 404 in HTML
  // Without a category it may speak of the account: "Hub 1 is unknown to this Hublet, but it appears to exist in …" [live]
  [
    s => s >= 400 && s < 500,
    a => ({
      kind: !looksLikeHubSpot(a.body) ? 'unavailable' : speaksOfAccount(a.body) ? 'wrong-account' : 'refused',
    }),
  ],
  // 500, 502, 503, 504, 521–526: wait and retry; and whatever else (a redirect is a wrong base URL)
  [() => true, () => ({ kind: 'unavailable' })],
];

export function classifyCall(answer: Answer): CallVerdict {
  if (answer.kind === 'none') return { kind: 'unavailable' };
  const row = ROWS.find(([matches]) => matches(answer.status));
  return row ? row[1](answer) : { kind: 'unavailable' };
}

/** Categories whose inputs fail again however often they are sent. */
const FINAL_CATEGORIES = new Set(['VALIDATION_ERROR', 'OBJECT_NOT_FOUND']);
/** "A limit on associations per record": said in any of the fields, under various categories. */
const FINAL_WORDS = /ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED/;

/** Is an error that names an input final for it? An unknown category is retried. */
export function isFinal(failure: Words): boolean {
  if (failure.category !== undefined && FINAL_CATEGORIES.has(failure.category)) return true;
  return FINAL_WORDS.test(`${failure.category} ${failure.subCategory} ${failure.message}`);
}

/** Is an error final for the input that it names? 400 without a category is, too. */
export function isFinalNamed(failure: Words): boolean {
  return isFinal(failure) || isMute(failure);
}

/** A refusal that names no category: of itself it says nothing against any input (nor does malformed JSON's). */
export const isMute = ({ category, httpStatus }: Words): boolean =>
  category === undefined && httpStatus === 400;

const ACCOUNT_WORDS =
  /\bhublet\b|\b(?:hub|portal|account)\b[^.]{0,60}\b(?:unknown|not found|does not exist|suspended|deactivated|disabled|deleted|inactive|cancell?ed|expired)\b/i;

const speaksOfAccount = (body: unknown): boolean =>
  text(field(body, 'category')) === undefined && ACCOUNT_WORDS.test(text(field(body, 'message')) ?? '');

/** What HubSpot adds to say why: scopes that are missing, limits that are reached. */
const TELLING = /scope|limit/i;
const MOST_DETAILS = 5;
const LONGEST_DETAIL = 100;

/** `(requiredGranularScopes: crm.objects.contacts.write)`, or nothing. */
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

/** @returns it without what moves a terminal, cut by code points */
const clean = (value: string): string => [...value.replace(/\p{C}/gu, '')].slice(0, LONGEST_DETAIL).join('');

/** How long a 429 without Retry-After holds all calls, by HubSpot's `policyName`; DAILY lasts until the reset. */
export function rateLimitPauseMs(policy: string, windowMs: number): number | 'until-reset' {
  if (policy === 'DAILY') return 'until-reset';
  return policy === 'SECONDLY' ? 1_000 : windowMs;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const field = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** HubSpot's errors carry a message beside a status, a category or a correlation id. */
const looksLikeHubSpot = (body: unknown): boolean =>
  text(field(body, 'message')) !== undefined &&
  ['status', 'category', 'correlationId', 'errorType'].some(name => text(field(body, name)) !== undefined);
