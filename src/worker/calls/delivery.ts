/**
 * Delivery of one batch: send → reconcile → isolate → settle. Every input gets exactly one outcome, whatever HubSpot
 * answers and whatever fails here; the code asserts the count. sending.ts makes the calls, holds.ts holds, and isolate.ts
 * decides which part is sent next. This file alone settles inputs; it speaks neither with HubSpot nor with Redis itself.
 */
import { isFinal, isMute } from '../../hubspot/classify.js';
import { messageOf } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { type Batch, namesOf, pairNames } from '../batches/batch.js';
import { indexes } from '../batches/columns.js';
import { CREATED, type Failure, type Hold, type Outcome } from '../batches/outcome.js';
import type { Line } from '../batches/submission.js';
import { halvingsBelow, REFUSED } from '../batches/suspicion.js';
import type { Evidence } from './evidence.js';
import type { Turn } from './gate.js';
import { PairHolds, type PairHoldsParts } from './holds.js';
import { Isolation, type Standing } from './isolate.js';
import type { Reconciled } from './reconcile.js';
import type { Searches } from './searches.js';
import { Sending, type SendingParts, type Sent } from './sending.js';

export type DeliveryReport = {
  readonly counts: Readonly<Record<Outcome['kind'], number>>;
  readonly calls: number;
  /** for each call: status (or TIMEOUT and the like) and HubSpot's correlation id, if there is one */
  readonly answers: readonly string[];
};

export type DeliveryParts = SendingParts &
  PairHoldsParts & {
    readonly evidence: Evidence;
    readonly searches: Pick<Searches, 'begin' | 'end' | 'againMs'>;
    /** absent if traces are off; a span around the batch */
    readonly traces?:
      | { batch(batch: Batch, deliver: () => Promise<DeliveryReport>): Promise<DeliveryReport> }
      | undefined;
    readonly logger: Logger;
  };

/** Least inputs of a batch for which the object pair is doubted first; smaller batches are cheap to search. */
const DOUBTED_FROM = 24;

export class Delivery {
  constructor(private readonly parts: DeliveryParts) {}

  /** Never rejects. @param turn slot and permit for the first call */
  deliver(batch: Batch, turn: Turn, signal: AbortSignal): Promise<DeliveryReport> {
    const deliver = () => this.#deliver(batch, turn, signal);
    return this.parts.traces?.batch(batch, deliver) ?? deliver();
  }

  async #deliver(batch: Batch, turn: Turn, signal: AbortSignal): Promise<DeliveryReport> {
    const holds = new PairHolds(batch, this.parts);
    const run = new Run(batch, this.parts, holds, new Sending(batch, holds, this.parts, signal));
    try {
      await run.toTheEnd(turn);
      await holds.endProbe();
    } catch (error) {
      // Redis is unreachable, or this code has a bug: every input gets an outcome, nothing is lost, no attempt is spent
      this.parts.logger.error(
        { event: 'delivery failed', error: messageOf(error) },
        'batch goes back to the queue',
      );
    }
    return run.close();
  }
}

/** The delivery of one batch. An input is an index into its columns, and a group of them is sent in one call. */
class Run {
  readonly #counts = { created: 0, retry: 0, rejected: 0, held: 0 };
  #search: ReturnType<Searches['begin']>;
  /** number of invalid inputs; several associations may wait for one */
  #invalid = 0;

  constructor(
    private readonly batch: Batch,
    private readonly parts: Pick<DeliveryParts, 'evidence' | 'searches' | 'logger'>,
    private readonly holds: PairHolds,
    private readonly sending: Sending,
  ) {}

  async toTheEnd(turn: Turn): Promise<void> {
    const { searches } = this.parts;
    const all = indexes(this.batch.inputs.size);
    const whole = await this.sending.send(all, this.#line, turn);
    try {
      await this.#isolate(all, whole);
    } finally {
      if (this.#search) searches.end(this.#search);
    }
  }

  async #isolate(all: readonly number[], whole: Sent): Promise<void> {
    const isolation = new Isolation(all, this.#standing(whole));
    let first: Sent | undefined = whole;
    let words: Failure | undefined;
    for (let group = isolation.next(); group; group = isolation.next()) {
      const hold = first ? undefined : this.#searchOn(isolation);
      if (hold) return this.giveBack(hold);
      const sent: Sent = first ?? (await this.sending.send(group, this.#line));
      first = undefined;
      switch (sent.kind) {
        case 'reconciled':
          await this.#apply(group, sent.found, isolation);
          words = sent.found.suspects.length > 0 ? sent.found.failure : words;
          break;
        case 'too-large':
          if (group.length === 1) return this.#settleAll(isolation.unresolved, refused(sent.failure));
          isolation.reportTooLarge();
          break;
        case 'held':
          return this.giveBack(sent.hold);
        case 'failed':
          return this.#settleFailed(group, isolation.unresolved, sent, words !== undefined);
        default:
          sent satisfies never;
      }
    }
    if (words) await this.#settleUnresolved(isolation, words);
  }

  /** Registers the search. @returns the hold that stops it; undefined if the next group may be sent */
  #searchOn(isolation: Isolation): Hold | undefined {
    if (!this.#search) {
      this.#search = this.parts.searches.begin(this.batch.inputs.size);
      if (!this.#search) return tooManySearches(this.parts.searches.againMs);
      this.#search.invalid = this.#invalid;
    }
    return isolation.hasAccepted ? undefined : this.holds.heldMeanwhile;
  }

  /** The line of this batch: during a search it goes with the suspects. */
  get #line(): Line {
    return this.#search ? 'suspect' : this.batch.line;
  }

  /** @returns what is known about the object pair, if it may be the cause rather than single inputs */
  #standing(whole: Sent): Standing | undefined {
    if (whole.kind !== 'reconciled' || whole.found.suspects.length === 0) return undefined;
    const { failure, isSilent } = whole.found;
    if (isMute(failure)) return 'mute';
    if (isSilent) return undefined;
    if (this.batch.probes) return 'unproven';
    const types = namesOf(this.batch).slice(1);
    if (types.some(name => this.parts.evidence.isJudged(name))) return 'judged';
    return this.batch.inputs.size > DOUBTED_FROM ? 'unproven' : undefined;
  }

  async #apply(group: readonly number[], found: Reconciled, isolation: Isolation): Promise<void> {
    const { inputs } = this.batch;
    if (found.created.length === inputs.size) this.#settleRest(CREATED);
    else this.#settleAll(found.created, CREATED);
    for (const { input, failure, final } of found.named)
      this.#settle(input, this.#refusal(input, failure, final));
    if (found.created.length > 0) await this.holds.accepted(found.created);
    if (found.named.length > 0) await this.holds.named(found.named.map(({ input }) => input));
    const [alone] = group.length === 1 ? found.suspects : [];
    if (alone === undefined)
      return isolation.report({ ...found, accepted: found.created.length, named: found.named.length });
    // any error means this input; an accepted call without effect is retried
    if (isMute(found.failure)) await this.#applyMute(alone, found.failure, isolation.hasAccepted);
    else this.#settle(alone, this.#refusal(alone, found.failure, isFinal(found.failure)));
    isolation.reportAlone();
  }

  /**
   * Judges an input that was refused alone with words that may be about the account. It is invalid only if HubSpot accepts
   * others of its object pair after that. If HubSpot accepted some just before, it comes back alone; otherwise nothing is
   * known.
   */
  async #applyMute(alone: number, failure: Failure, hasAccepted: boolean): Promise<void> {
    const { inputs } = this.batch;
    const [, name = ''] = pairNames(this.batch, inputs.typesTexts([alone]));
    if (this.parts.evidence.refusedAlone(name, inputs.pairAt(alone).join(' ')))
      return this.#settle(alone, this.#refusal(alone, failure, true));
    if (hasAccepted) return this.#settle(alone, refused(failure));
    this.#settle(alone, { kind: 'held', hold: await this.holds.holdTypes([alone], failure) });
  }

  async #settleUnresolved({ unresolved, isHopeless }: Isolation, words: Failure): Promise<void> {
    if (unresolved.length === 0) return;
    if (isHopeless) {
      const hold = await this.holds.holdTypes(unresolved, words);
      // words that do not accuse the inputs spend no attempt
      if (isMute(words)) return this.giveBack(hold);
    }
    this.#settleAll(unresolved, refused(words));
  }

  /** @param refused true if HubSpot refused all unresolved inputs in one call before */
  #settleFailed(
    group: readonly number[],
    unresolved: readonly number[],
    { failure, fine }: Sent & { kind: 'failed' },
    refused: boolean,
  ): void {
    const failed = new Set(group);
    const before = refused ? REFUSED : 0;
    const halvings = fine ? halvingsBelow(group.length, this.batch.limit) : 0;
    const spends = fine && group.length === 1 ? 'attempt' : 'time';
    this.#settleAll(group, { kind: 'retry', failure, spends, suspicion: Math.max(before, halvings) });
    this.#settleAll(
      unresolved.filter(input => !failed.has(input)),
      { kind: 'retry', failure, spends: 'time', suspicion: before },
    );
  }

  giveBack(hold: Hold): void {
    this.#settleRest({ kind: 'held', hold });
  }

  /** Gives back inputs without an outcome, which only a bug can leave. */
  close(): DeliveryReport {
    const { open, size } = this.batch.inputs;
    if (open > 0) {
      const reason = `${open} of ${size} inputs were left without an outcome`;
      this.parts.logger.error({ event: 'unsettled' }, reason);
      this.giveBack({ scope: 'pair', forMs: 1_000, reason });
    }
    return { counts: this.#counts, calls: this.sending.calls, answers: this.sending.answers };
  }

  #settleAll(inputs: readonly number[], outcome: Outcome): void {
    for (const input of inputs) this.#settle(input, outcome);
  }

  #settle(input: number, outcome: Outcome): void {
    this.#counts[outcome.kind] += this.batch.inputs.settle(input, outcome);
    if (outcome.kind === 'rejected') this.#invalid += 1;
    if (this.#search) this.#search.invalid = this.#invalid;
  }

  #settleRest(outcome: Outcome): void {
    this.#counts[outcome.kind] += this.batch.inputs.settleRest(outcome);
  }

  /** Waiters with different types share a merged input, so they are judged separately before one is rejected. */
  #refusal(input: number, failure: Failure, final: boolean): Outcome {
    return final && !this.batch.inputs.isMerged(input) ? { kind: 'rejected', failure } : refused(failure);
  }
}

/** Hold for inputs of which only the failed call is known; they come back unchanged. */
const tooManySearches = (forMs: number): Hold => ({
  scope: 'pair',
  forMs,
  reason: 'HubSpot refused some of a batch without naming them, and many such batches are searched already',
});

/** Outcome for an error about the input that is not final. */
const refused = (failure: Failure): Outcome => ({
  kind: 'retry',
  failure,
  spends: 'attempt',
  suspicion: REFUSED,
});
