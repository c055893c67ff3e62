/**
 * Delivery of one batch: send → reconcile → isolate → settle. Every input gets exactly one outcome, whatever HubSpot
 * answers and whatever fails here; the code asserts the count.
 */

import {
  type Answer,
  type CallVerdict,
  classifyCall,
  field,
  isFinal,
  isMute,
  rateLimitPauseMs,
  text,
  whyOf,
} from '../../hubspot/classify.js';
import type { NotSent, Slot } from '../../hubspot/departure.js';
import type { Permit, Quota } from '../../hubspot/quota.js';
import type { Sign } from '../../hubspot/weather.js';
import { messageOf } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { enteringWords } from '../../shared/runtime/text.js';
import { type Batch, namesOf, pairNames } from '../batches/batch.js';
import { type Call, indexes } from '../batches/columns.js';
import { CREATED, type Failure, type Hold, type Outcome, SHUTTING_DOWN } from '../batches/outcome.js';
import type { Line } from '../batches/submission.js';
import { halvingsBelow, REFUSED } from '../batches/suspicion.js';
import type { Evidence } from './evidence.js';
import type { Gate, Turn } from './gate.js';
import { Isolation, type Standing } from './isolate.js';
import { MAX_WORD, type Reconciled, reconcile, shorten } from './reconcile.js';
import type { Searches } from './searches.js';

export type DeliveryReport = {
  readonly counts: Readonly<Record<Outcome['kind'], number>>;
  readonly calls: number;
  /** for each call: status (or TIMEOUT and the like) and HubSpot's correlation id, if there is one */
  readonly answers: readonly string[];
};

/** Receives the calls. */
export type CallReport = {
  /** @param status HTTP status, or TIMEOUT and the like @param ms duration of the call */
  call(status: string, ms: number): void;
  /** A call was too late for its permit and was not sent. @param coveredMs the lateness that the margin covers from now on */
  expired(lateMs: number, coveredMs: number): void;
};

export type DeliveryParts = {
  readonly caller: {
    create(
      call: Call,
      signal: AbortSignal,
      slot: Slot,
      onLate: (lateMs: number) => void,
    ): Promise<Answer | NotSent>;
  };
  readonly quota: Pick<
    Quota,
    | 'answered'
    | 'endProbe'
    | 'failed'
    | 'freePair'
    | 'heldOf'
    | 'hold'
    | 'holdGrowing'
    | 'holdPair'
    | 'holdsPairs'
    | 'release'
    | 'usedLate'
  >;
  readonly gate: Pick<Gate, 'pass'>;
  readonly evidence: Evidence;
  readonly searches: Pick<Searches, 'begin' | 'end' | 'againMs'>;
  readonly windowMs: number;
  /** @returns true if there is a newer token than that of a call sent at `sentAt` (performance.now()) */
  readonly renewToken: (sentAt: number) => Promise<boolean>;
  readonly report: CallReport;
  /** absent if traces are off */
  readonly traces?: CallTraces | undefined;
  readonly logger: Logger;
};

/** Spans around a batch and around each of its calls. */
export type CallTraces = {
  batch(batch: Batch, deliver: () => Promise<DeliveryReport>): Promise<DeliveryReport>;
  call(call: Call, send: () => Promise<Answer | NotSent>): Promise<Answer | NotSent>;
};

/** Longest hold that a single association causes, because HubSpot may accept later ones. */
const LONGEST_HOLD_BY_ONE_MS = 60_000;

/** Least inputs of a batch for which the object pair is doubted first; smaller batches are cheap to search. */
const DOUBTED_FROM = 24;

/** Most answers in a batch's record, because a hold may be probed many times. */
const ANSWERS_KEPT = 30;

/** The result of sending one group, after short holds have been waited out. */
type Sent =
  | { readonly kind: 'reconciled'; readonly found: Reconciled }
  | { readonly kind: 'too-large'; readonly failure: Failure }
  | { readonly kind: 'held'; readonly hold: Hold }
  /** failed because of the weather, or in fine weather perhaps because of an input */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly fine: boolean };

export class Delivery {
  constructor(private readonly parts: DeliveryParts) {}

  /** Never rejects. @param turn slot and permit for the first call */
  deliver(batch: Batch, turn: Turn, signal: AbortSignal): Promise<DeliveryReport> {
    const deliver = () => this.#deliver(batch, turn, signal);
    return this.parts.traces?.batch(batch, deliver) ?? deliver();
  }

  async #deliver(batch: Batch, turn: Turn, signal: AbortSignal): Promise<DeliveryReport> {
    const run = new Run(batch, this.parts, signal);
    try {
      await run.toTheEnd(turn);
      await run.endProbe();
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

type HubSpotAnswer = Answer & { readonly kind: 'answer' };
/** Verdicts that say nothing about the inputs: the account is held, and the same call is sent again. */
type AccountVerdict = CallVerdict & {
  readonly kind: 'rate-limited' | 'migrating' | 'unauthorized' | 'wrong-account';
};

/** The delivery of one batch. An input is an index into its columns, and a group of them is sent in one call. */
class Run {
  readonly #counts = { created: 0, retry: 0, rejected: 0, held: 0 };
  #calls = 0;
  readonly #answers: string[] = [];
  #sentAt = 0;
  /** epoch of {@link Evidence} at the first refusal about the account */
  #wrongAccountAt: number | undefined;
  #hasHeld = false;
  #search: ReturnType<Searches['begin']>;
  /** number of invalid inputs; several associations may wait for one */
  #invalid = 0;

  constructor(
    private readonly batch: Batch,
    private readonly parts: DeliveryParts,
    private readonly signal: AbortSignal,
  ) {}

  async toTheEnd(turn: Turn): Promise<void> {
    const { searches } = this.parts;
    const all = indexes(this.batch.inputs.size);
    const whole = await this.#send(all, turn);
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
      const sent: Sent = first ?? (await this.#send(group));
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
    return this.#heldMeanwhile(isolation.hasAccepted);
  }

  async #settleUnresolved({ unresolved, isHopeless }: Isolation, words: Failure): Promise<void> {
    if (unresolved.length === 0) return;
    if (isHopeless) {
      const hold = await this.#holdTypes(unresolved, words);
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
    return { counts: this.#counts, calls: this.#calls, answers: this.#answers };
  }

  /** Ends a probe without a result, so that another batch may probe. */
  async endProbe(): Promise<void> {
    const { probes } = this.batch;
    if (probes && !this.#hasHeld) await this.parts.quota.endProbe(probes);
  }

  async #apply(group: readonly number[], found: Reconciled, isolation: Isolation): Promise<void> {
    const { inputs } = this.batch;
    if (found.created.length === inputs.size) this.#settleRest(CREATED);
    else this.#settleAll(found.created, CREATED);
    for (const { input, failure, final } of found.named)
      this.#settle(input, this.#refusal(input, failure, final));
    if (found.created.length > 0) await this.#accepted(inputs.typesTexts(found.created));
    if (found.named.length > 0) await this.#namedSome(found.named.map(({ input }) => input));
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
    this.#settle(alone, { kind: 'held', hold: await this.#holdTypes([alone], failure) });
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

  /** @returns the hold of the object pair, if another batch or replica found that HubSpot accepts nothing of it */
  #heldMeanwhile(hasAccepted: boolean): Hold | undefined {
    const { batch, parts } = this;
    if (hasAccepted || batch.probes || !parts.quota.holdsPairs) return undefined;
    const held = parts.quota.heldOf(namesOf(batch));
    return held && { scope: 'pair', forMs: held.until - Date.now(), reason: held.reason };
  }

  /** Sends until HubSpot has judged the inputs, or there is a reason to stop. */
  async #send(group: readonly number[], given?: Turn): Promise<Sent> {
    const { gate } = this.parts;
    for (let turn = given; ; turn = undefined) {
      const entry = turn ?? (await gate.pass(this.#line, 'urgent', this.signal));
      if (entry.kind === 'stopped') return { kind: 'held', hold: entry.hold };
      if (entry.kind === 'paced') continue; // the quota paces only partial batches of the dispatcher
      const answer = await this.#call(group, entry.permit).finally(entry.leave);
      const sent = await this.#read(answer, group, entry.permit);
      if (sent) return sent;
    }
  }

  /** @returns the result of the call; undefined if the same inputs must be sent again */
  async #read(answer: Answer | NotSent, group: readonly number[], permit: Permit): Promise<Sent | undefined> {
    const { quota } = this.parts;
    if (answer.kind === 'not-sent') {
      // the batch stays sealed; this is neither an attempt nor a failure
      this.parts.report.expired(answer.lateMs, await quota.release(permit, answer.lateMs));
      return undefined;
    }
    if (this.signal.aborted && answer.kind === 'none') return { kind: 'held', hold: SHUTTING_DOWN };
    const verdict = classifyCall(answer);
    const isAnswer = !['unavailable', 'unauthorized', 'wrong-account'].includes(verdict.kind);
    if (isAnswer || this.#isInput(verdict.kind))
      await quota.answered(permit, this.batch.inputs.hasFirstTimers(group));
    switch (verdict.kind) {
      case 'accepted':
      case 'refused':
        return this.#reconciled(answer as HubSpotAnswer, verdict.kind === 'accepted', group);
      case 'too-large':
        return { kind: 'too-large', failure: failureOf(answer) };
      case 'wrong-account':
        // HubSpot accepted others meanwhile, so this batch is the cause
        if (this.#isInput(verdict.kind)) return this.#reconciled(answer as HubSpotAnswer, false, group);
        this.#wrongAccountAt ??= performance.now();
        await this.#holdAccount(verdict, answer, permit);
        return undefined;
      case 'rate-limited':
      case 'migrating':
      case 'unauthorized':
        await this.#holdAccount(verdict, answer, permit);
        return undefined;
      case 'forbidden':
      case 'locked': {
        const [pair = ''] = pairNames(this.batch, []);
        const leastMs = verdict.kind === 'locked' ? verdict.forMs : 0;
        return { kind: 'held', hold: await this.#holdPair(pair, said(answer), { leastMs }) };
      }
      case 'unavailable': {
        const failure = failureOf(answer);
        // a batch that failed as the probe goes back as well; another batch is the next probe
        const { fine, at } = await quota.failed(failure.message, permit, this.#signOf(group));
        return { kind: 'failed', failure: { ...failure, at }, fine };
      }
    }
  }

  async #holdAccount(verdict: AccountVerdict, answer: Answer, permit: Permit): Promise<void> {
    const { quota, windowMs, renewToken } = this.parts;
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
        if (await renewToken(this.#sentAt)) await quota.answered(permit);
        else await quota.holdGrowing('auth', said(answer), permit);
        break;
      case 'wrong-account':
        await quota.holdGrowing('account', said(answer), permit);
        break;
      default:
        verdict satisfies never;
    }
  }

  async #call(group: readonly number[], permit: Permit): Promise<Answer | NotSent> {
    const { fromObjectType, toObjectType, inputs } = this.batch;
    const call = { fromObjectType, toObjectType, columns: inputs.columns(group) };
    this.#sentAt = performance.now();
    this.#calls += 1;
    const { caller, quota, traces } = this.parts;
    const onLate = (lateMs: number) => void quota.usedLate(permit, lateMs);
    const send = () => caller.create(call, this.signal, permit.slot, onLate);
    const answer = await (traces?.call(call, send) ?? send());
    if (answer.kind === 'not-sent') {
      this.#calls -= 1;
      return answer;
    }
    const status = answer.kind === 'answer' ? String(answer.status) : answer.category;
    this.parts.report.call(status, performance.now() - this.#sentAt);
    if (this.#answers.length < ANSWERS_KEPT) this.#answers.push(`${status} ${correlationOf(answer)}`.trim());
    return answer;
  }

  /** The line of this batch: during a search it goes with the suspects. */
  get #line(): Line {
    return this.#search ? 'suspect' : this.batch.line;
  }

  /** @returns true if a refusal is about the account, but HubSpot has accepted others since the first such refusal */
  #isInput(verdict: string): boolean {
    const since = this.#wrongAccountAt;
    return verdict === 'wrong-account' && since !== undefined && this.parts.evidence.anythingSince(since);
  }

  async #holdTypes(inputs: readonly number[], failure: Failure): Promise<Hold> {
    const longestMs = this.batch.inputs.size === 1 ? LONGEST_HOLD_BY_ONE_MS : undefined;
    const holds: Hold[] = [];
    for (const name of pairNames(this.batch, this.batch.inputs.typesTexts(inputs)).slice(1))
      holds.push(
        await this.#holdPair(
          name,
          `nothing is accepted: ${failure.message}`,
          longestMs === undefined ? {} : { longestMs },
        ),
      );
    return holds.reduce((one, other) => (other.forMs > one.forMs ? other : one));
  }

  async #holdPair(
    name: string,
    reason: string,
    how: { leastMs?: number; longestMs?: number },
  ): Promise<Hold> {
    const isProbe = !this.#hasHeld && (this.batch.probes?.includes(name) ?? false);
    const held = await this.parts.quota.holdPair(name, reason, { ...how, isProbe });
    this.#hasHeld = true;
    this.parts.logger.warn(
      { event: 'held', objectPair: name, reason, strikes: held.strikes },
      'object pair is held; nothing is lost',
    );
    return { scope: 'pair', forMs: held.until - Date.now(), reason };
  }

  /** Ends holds of an object pair that HubSpot accepts. */
  async #accepted(types: Iterable<string>): Promise<void> {
    const names = pairNames(this.batch, types);
    this.parts.evidence.accepted(names);
    if (this.parts.quota.holdsPairs) await this.parts.quota.freePair(...names);
  }

  /** Ends the hold of an object pair of which HubSpot judges single inputs. */
  async #namedSome(named: readonly number[]): Promise<void> {
    const names = pairNames(this.batch, this.batch.inputs.typesTexts(named));
    this.parts.evidence.named(names);
    if (this.parts.quota.holdsPairs) await this.parts.quota.freePair(...names);
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

  #reconciled(answer: HubSpotAnswer, accepted: boolean, inputs: readonly number[]): Sent {
    const { fromObjectType, toObjectType, inputs: columns } = this.batch;
    return {
      kind: 'reconciled',
      found: reconcile(answer, accepted, { fromObjectType, toObjectType, columns, inputs }),
    };
  }

  /** Waiters with different types share a merged input, so they are judged separately before one is rejected. */
  #refusal(input: number, failure: Failure, final: boolean): Outcome {
    return final && !this.batch.inputs.isMerged(input) ? { kind: 'rejected', failure } : refused(failure);
  }

  /** @returns what a failed call says about the weather */
  #signOf(group: readonly number[]): Sign {
    const { inputs } = this.batch;
    const [first] = group;
    const isSuspect = first === undefined || inputs.isSuspect(first);
    return {
      firstTimers: inputs.hasFirstTimers(group),
      firstPair: isSuspect ? '' : inputs.pairAt(first).join(' '),
    };
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

function failureOf(answer: Answer): Failure {
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

/** @returns the reason of a hold */
const said = (answer: Answer): string =>
  `${answer.kind === 'answer' ? `${answer.status} from HubSpot: ` : ''}${wordsOf(answer)}`;

const correlationOf = (answer: Answer): string => (answer.kind === 'answer' && answer.correlationId) || '';

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
