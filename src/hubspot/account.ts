/**
 * Asks HubSpot about the account and the token: its details, the calls of the day, what the token may do. Three calls that
 * read only. They are not calls of the association endpoints, which have a limit of their own, so that no permit of the
 * quota is taken for them (docs/decisions/0053). Every field of an answer may be absent.
 */
import { accountInfoPath } from '../shared/contract/api-versions.js';
import { wordsOf } from './answer-words.js';
import { type Answer, type CallVerdict, classifyCall, field, text } from './classify.js';
import { ANY_TIME, Departure } from './departure.js';
import type { HubSpotHttp } from './http.js';

/** What HubSpot tells, or why it does not, in a sentence. */
export type Told<Facts> =
  | { readonly kind: 'told'; readonly facts: Facts }
  | { readonly kind: 'not-told'; readonly verdict: CallVerdict['kind']; readonly words: string };

export type AccountDetails = {
  readonly portalId?: string;
  /** such as `US/Eastern` */
  readonly timeZone?: string;
  /** STANDARD, SANDBOX, DEVELOPER_TEST, APP_DEVELOPER */
  readonly accountType?: string;
  /** such as `eu1` */
  readonly dataHostingLocation?: string;
};
/** Of all private apps of the account together. Whether service keys count as well is not documented. */
export type DailyUsage = {
  readonly usageLimit?: number;
  readonly currentUsage?: number;
  /** ISO 8601 */
  readonly resetsAt?: string;
};
export type TokenInfo = {
  readonly portalId?: string;
  readonly appId?: string;
  readonly scopes?: readonly string[];
};

export class AccountClient {
  constructor(
    private readonly http: Pick<HubSpotHttp, 'send'>,
    private readonly apiVersion: string,
  ) {}

  /** `GET /account-info/…/details` */
  async details(signal: AbortSignal): Promise<Told<AccountDetails>> {
    const answer = await this.#send('GET', `${accountInfoPath(this.apiVersion)}/details`, signal);
    return told(answer, body => ({
      ...named('portalId', idOf(field(body, 'portalId'))),
      ...named('timeZone', text(field(body, 'timeZone'))),
      ...named('accountType', text(field(body, 'accountType'))),
      ...named('dataHostingLocation', text(field(body, 'dataHostingLocation'))),
    }));
  }

  /** `GET /account-info/…/api-usage/daily/private-apps` */
  async dailyUsage(signal: AbortSignal): Promise<Told<DailyUsage>> {
    const path = `${accountInfoPath(this.apiVersion)}/api-usage/daily/private-apps`;
    const answer = await this.#send('GET', path, signal);
    return told(answer, body => {
      const results = field(body, 'results');
      const usage: unknown = Array.isArray(results) ? results[0] : body;
      return {
        ...named('usageLimit', count(field(usage, 'usageLimit'))),
        ...named('currentUsage', count(field(usage, 'currentUsage'))),
        ...named('resetsAt', text(field(usage, 'resetsAt'))),
      };
    });
  }

  /**
   * `POST /oauth/v2/private-apps/get/access-token-info`: documented for private apps. Whether it knows service keys is not
   * documented; then it refuses. The token is in the body, as HubSpot wants it, and in no URL.
   */
  async tokenInfo(token: string, signal: AbortSignal): Promise<Told<TokenInfo>> {
    const body = JSON.stringify({ tokenKey: token });
    const answer = await this.#send('POST', '/oauth/v2/private-apps/get/access-token-info', signal, body);
    return told(answer, facts => {
      const scopes = field(facts, 'scopes');
      return {
        ...named('portalId', idOf(field(facts, 'hubId'))),
        ...named('appId', idOf(field(facts, 'appId'))),
        ...(Array.isArray(scopes) && { scopes: scopes.filter(scope => typeof scope === 'string') }),
      };
    });
  }

  async #send(method: 'GET' | 'POST', path: string, signal: AbortSignal, body?: string): Promise<Answer> {
    const request = { method, path, ...(body !== undefined && { body }) };
    const answer = await this.http.send(request, signal, new Departure(ANY_TIME));
    if (answer.kind === 'not-sent') throw new Error('a call that may go at any time was not sent');
    return answer;
  }
}

function told<Facts>(answer: Answer, read: (body: unknown) => Facts): Told<Facts> {
  const verdict = classifyCall(answer);
  return verdict.kind === 'accepted' && answer.kind === 'answer'
    ? { kind: 'told', facts: read(answer.body) }
    : { kind: 'not-told', verdict: verdict.kind, words: wordsOf(answer) };
}

/** With exactOptionalPropertyTypes an absent field must be left out. */
const named = <Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } =>
  (value === undefined ? {} : { [name]: value }) as { [key in Name]?: Value };

const idOf = (value: unknown): string | undefined =>
  typeof value === 'number' || (typeof value === 'string' && value !== '') ? String(value) : undefined;

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
