/**
 * Asks HubSpot for the labels of an object pair, under the quota that the workers share.
 * Responsible for:
 *   1. a place in the labels' share of the calls (label-share.ts) and a permit; it waits ten seconds at most for both;
 *   2. reporting to all replicas what concerns the whole account: 429, 477 and the result of a probe. A bad token or a
 *      network failure of this process does not hold the workers.
 * Not responsible for caching (label-book.ts) or for the meaning of a label (choose-types.ts).
 */
import { wordsOf } from '../hubspot/answer-words.js';
import {
  type Answer,
  type CallVerdict,
  classifyCall,
  field,
  isObject,
  rateLimitPauseMs,
  text,
} from '../hubspot/classify.js';
import { Departure } from '../hubspot/departure.js';
import type { HubSpotHttp } from '../hubspot/http.js';
import type { Permit, Quota } from '../hubspot/quota.js';
import type { Passage, Turnstile } from '../hubspot/turnstile.js';
import type { Sign } from '../hubspot/weather.js';
import { ASSOCIATION_CATEGORIES, type AssociationCategory } from '../shared/contract/association.js';
import { LabelLookupError, messageOf } from '../shared/contract/errors.js';
import { between, type KnownLabel } from './choose-types.js';
import type { LabelShare } from './label-share.js';

/** How long a call may wait for its permit. The caller that enqueues waits as long. */
export const PERMIT_MS = 10_000;
/** A longer hold is reported to the caller at once. */
export const LONGEST_HOLD_MS = 5_000;
/** A sent call ends by its own timeout. */
const NEVER = new AbortController().signal;

export type LabelsClientParts = {
  /** opens it at the first call */
  readonly http: () => Promise<Pick<HubSpotHttp, 'call'>>;
  readonly quota: Quota;
  readonly turnstile: Turnstile;
  readonly share: LabelShare;
  /** the current token; '' = none */
  readonly token: () => string;
  /** what sets the token */
  readonly tokenName: string;
  readonly windowMs: number;
};
type ObjectTypes = { readonly fromObjectType: string; readonly toObjectType: string };
type Sent = { readonly answer: Answer; readonly permit: Permit };
/** The labels, or in `refusal` HubSpot's words on why it lists none for this object pair. */
export type Asked = { readonly labels: readonly KnownLabel[]; readonly refusal?: string };

export class LabelsClient {
  constructor(private readonly parts: LabelsClientParts) {}

  /** what sets the token, for messages */
  get tokenName(): string {
    return this.parts.tokenName;
  }

  /** @throws LabelLookupError if the token cannot be read */
  get hasToken(): boolean {
    try {
      return this.parts.token() !== '';
    } catch (error) {
      throw new LabelLookupError(
        `the access token for looking up labels cannot be read: ${messageOf(error)}`,
      );
    }
  }

  /** @throws LabelLookupError if HubSpot cannot be asked now or does not answer */
  async ask(objects: ObjectTypes): Promise<Asked> {
    const since = performance.now();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), PERMIT_MS);
    try {
      for (;;) {
        const sent = await this.#send(objects, since + PERMIT_MS - performance.now(), late.signal);
        if (sent === undefined) continue;
        const { answer, permit } = sent;
        const verdict = classifyCall(answer);
        await this.#report(verdict, answer, permit);
        if (verdict.kind === 'accepted') return { labels: readLabels(answer, objects) };
        if (verdict.kind === 'refused') return { labels: [], refusal: wordsOf(answer) };
        // after a 429 the next permit waits out a short hold and reports a long one
        if (verdict.kind !== 'rate-limited')
          throw failure(
            objects,
            wordsOf(answer) +
              (verdict.kind === 'unauthorized' ? ` (${this.tokenName} must be a valid token)` : ''),
          );
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** @returns undefined if the permit expired before the call was sent */
  async #send(objects: ObjectTypes, patienceMs: number, signal: AbortSignal): Promise<Sent | undefined> {
    const { quota, share } = this.parts;
    // before a permit is taken: a permit ends soon
    const http = await this.parts.http().catch((cause: unknown) => {
      throw failure(objects, messageOf(cause));
    });
    const place = await share.enter(patienceMs);
    if (typeof place === 'number') throw failure(objects, share.words, place);
    let isSent = false;
    try {
      const permit = await this.#permit(objects, signal);
      const departure = new Departure(permit.slot, lateMs => void quota.usedLate(permit, lateMs));
      const answer = await http.call({ method: 'GET', ...objects, call: 'labels' }, NEVER, departure);
      isSent = answer.kind !== 'not-sent';
      if (answer.kind !== 'not-sent') return { answer, permit };
      await quota.release(permit, answer.lateMs);
      return undefined;
    } finally {
      if (!isSent) await place.giveBack();
    }
  }

  async #permit(objects: ObjectTypes, signal: AbortSignal): Promise<Permit> {
    const passage: Passage = await this.parts.turnstile.pass(false, signal);
    if (passage.kind === 'granted') return passage;
    if (passage.kind === 'stopped' && passage.hold.scope === 'account') {
      const { forMs, reason } = passage.hold;
      throw failure(objects, `calls are held for ${Math.ceil(forMs / 1_000)} s (${reason})`, forMs);
    }
    throw failure(objects, `no call was free within ${PERMIT_MS / 1_000} s`);
  }

  async #report(verdict: CallVerdict, answer: Answer, permit: Permit): Promise<void> {
    const { quota, windowMs } = this.parts;
    const words = wordsOf(answer);
    switch (verdict.kind) {
      case 'unauthorized':
        if (permit.probe) await quota.holdGrowing('auth', words, permit);
        return;
      case 'unavailable':
        if (permit.probe) await quota.failed(words, permit, NO_SIGN);
        return;
      case 'rate-limited': {
        const pause = verdict.forMs || rateLimitPauseMs(verdict.policy, windowMs);
        await quota.hold(verdict.policy === 'DAILY' ? 'daily' : 'rate-limit', words, pause);
        return;
      }
      case 'migrating':
        await quota.hold('migration', words, verdict.forMs);
        return;
      default:
        await quota.answered(permit);
    }
  }
}

/** A failed lookup of labels says nothing about the weather for associations. */
const NO_SIGN: Sign = { firstTimers: false, firstPair: '' };

function failure(objects: ObjectTypes, reason: string, retryAfterMs?: number): LabelLookupError {
  return new LabelLookupError(`the labels ${between(objects)} cannot be looked up: ${reason}`, retryAfterMs);
}

/** Skips entries that are no types: a kind that HubSpot adds in future must not break the known ones. */
function readLabels(answer: Answer, objects: ObjectTypes): KnownLabel[] {
  const results = answer.kind === 'answer' ? field(answer.body, 'results') : undefined;
  if (!Array.isArray(results)) throw failure(objects, `${wordsOf(answer)} without results`);
  return results.flatMap((entry: unknown) => {
    if (!isObject(entry)) return [];
    const { category, typeId, label } = entry;
    if (!Number.isInteger(typeId) || !ASSOCIATION_CATEGORIES.includes(category as AssociationCategory))
      return [];
    return {
      associationCategory: category as AssociationCategory,
      associationTypeId: Number(typeId),
      label: text(label) ?? null,
    };
  });
}
