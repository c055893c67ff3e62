/**
 * Holds: what an answer means for the account or for the object pair of a batch, rather than for single inputs. It starts and
 * ends holds in the quota, and asks for a new token. It sends no call and settles no input: the caller gets the hold.
 */
import { type Answer, type CallVerdict, rateLimitPauseMs } from '../../hubspot/classify.js';
import type { Permit, Quota } from '../../hubspot/quota.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { type Batch, namesOf, pairNames } from '../batches/batch.js';
import type { Failure, Hold } from '../batches/outcome.js';
import type { Evidence } from './evidence.js';
import { said } from './failure.js';

/** Verdicts that say nothing about the inputs: the account is held, and the same call is sent again. */
export type AccountVerdict = CallVerdict & {
  readonly kind: 'rate-limited' | 'migrating' | 'unauthorized' | 'wrong-account';
};

export type AccountParts = {
  readonly quota: Pick<Quota, 'answered' | 'hold' | 'holdGrowing'>;
  readonly windowMs: number;
  /** @returns true if there is a newer token than that of a call sent at `sentAt` (performance.now()) */
  readonly renewToken: (sentAt: number) => Promise<boolean>;
};

/** Holds the account as long as the answer demands. A newer token makes a hold for a refused token unnecessary. */
export async function holdAccount(
  { quota, windowMs, renewToken }: AccountParts,
  verdict: AccountVerdict,
  answer: Answer,
  call: { readonly permit: Permit; readonly sentAt: number },
): Promise<void> {
  switch (verdict.kind) {
    case 'rate-limited': {
      const pause = verdict.forMs || rateLimitPauseMs(verdict.policy, windowMs);
      await quota.hold(verdict.policy === 'DAILY' ? 'daily' : 'rate-limit', said(answer), pause);
      break;
    }
    case 'migrating':
      await quota.hold('migration', said(answer), verdict.forMs);
      break;
    case 'unauthorized':
      if (await renewToken(call.sentAt)) await quota.answered(call.permit);
      else await quota.holdGrowing('auth', said(answer), call.permit);
      break;
    case 'wrong-account':
      await quota.holdGrowing('account', said(answer), call.permit);
      break;
    default:
      verdict satisfies never;
  }
}

export type PairHoldsParts = {
  readonly quota: Pick<Quota, 'endProbe' | 'freePair' | 'heldOf' | 'holdPair' | 'holdsPairs'>;
  readonly evidence: Pick<Evidence, 'accepted' | 'named'>;
  readonly logger: Pick<Logger, 'warn'>;
};

/** Longest hold that a single association causes, because HubSpot may accept later ones. */
const LONGEST_HOLD_BY_ONE_MS = 60_000;

/** The holds of one batch's object pair: those that it starts, ends and probes. */
export class PairHolds {
  #hasHeld = false;

  constructor(
    private readonly batch: Batch,
    private readonly parts: PairHoldsParts,
  ) {}

  /** Holds the object pair whatever its types. @returns the hold. @param leastMs at least this long; 0: as the quota decides */
  forbid(answer: Answer, leastMs: number): Promise<Hold> {
    const [pair = ''] = pairNames(this.batch, []);
    return this.#hold(pair, said(answer), { leastMs });
  }

  /** Holds the object pair with the types of these inputs, because nothing of it is accepted. @returns the longest hold */
  async holdTypes(inputs: readonly number[], failure: Failure): Promise<Hold> {
    const how = this.batch.inputs.size === 1 ? { longestMs: LONGEST_HOLD_BY_ONE_MS } : {};
    const holds: Hold[] = [];
    for (const name of pairNames(this.batch, this.batch.inputs.typesTexts(inputs)).slice(1))
      holds.push(await this.#hold(name, `nothing is accepted: ${failure.message}`, how));
    return holds.reduce((one, other) => (other.forMs > one.forMs ? other : one));
  }

  /** @returns the hold of the object pair, if another batch or replica found that HubSpot accepts nothing of it */
  get heldMeanwhile(): Hold | undefined {
    const { batch, parts } = this;
    if (batch.probes || !parts.quota.holdsPairs) return undefined;
    const held = parts.quota.heldOf(namesOf(batch));
    return held && { scope: 'pair', forMs: held.until - Date.now(), reason: held.reason };
  }

  /** Notes that HubSpot created these inputs, and ends the hold of their object pair. */
  async accepted(inputs: readonly number[]): Promise<void> {
    const names = this.#namesOf(inputs);
    this.parts.evidence.accepted(names);
    await this.#free(names);
  }

  /** Notes that HubSpot judges single inputs of the object pair, and ends its hold. */
  async named(inputs: readonly number[]): Promise<void> {
    const names = this.#namesOf(inputs);
    this.parts.evidence.named(names);
    await this.#free(names);
  }

  /** Ends a probe without a result, so that another batch may probe. */
  async endProbe(): Promise<void> {
    const { probes } = this.batch;
    if (probes && !this.#hasHeld) await this.parts.quota.endProbe(probes);
  }

  #namesOf(inputs: readonly number[]): string[] {
    return pairNames(this.batch, this.batch.inputs.typesTexts(inputs));
  }

  async #free(names: readonly string[]): Promise<void> {
    if (this.parts.quota.holdsPairs) await this.parts.quota.freePair(...names);
  }

  async #hold(name: string, reason: string, how: { leastMs?: number; longestMs?: number }): Promise<Hold> {
    const isProbe = !this.#hasHeld && (this.batch.probes?.includes(name) ?? false);
    const held = await this.parts.quota.holdPair(name, reason, { ...how, isProbe });
    this.#hasHeld = true;
    this.parts.logger.warn(
      { event: 'held', objectPair: name, reason, strikes: held.strikes },
      'object pair is held; nothing is lost',
    );
    return { scope: 'pair', forMs: held.until - Date.now(), reason };
  }
}
