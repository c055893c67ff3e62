/**
 * Delivery of one batch: send → reconcile → isolate → settle. Every input gets exactly one outcome, whatever HubSpot
 * answers and whatever goes wrong here; the count is asserted.
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
  /** what each call was answered: status, or what happened instead, and HubSpot's correlation id where there is one */
  readonly answers: readonly string[];
};

/** Who is told of calls. */
export type CallReport = {
  /** @param status HTTP status, or what happened instead; @param ms how long HubSpot took */
  call(status: string, ms: number): void;
  /** A call came too late for its permit, and was not sent. @param coveredMs the lateness that is covered from now on */
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
  /** @returns true when there is a newer token than the one of a call sent then (performance.now()) */
  readonly renewToken: (sentAt: number) => Promise<boolean>;
  readonly report: CallReport;
  /** left out where traces are off */
  readonly traces?: CallTraces | undefined;
  readonly logger: Logger;
};

/** Spans around a batch and around each of its calls. */
export type CallTraces = {
  batch(batch: Batch, deliver: () => Promise<DeliveryReport>): Promise<DeliveryReport>;
  call(call: Call, send: () => Promise<Answer | NotSent>): Promise<Answer | NotSent>;
};

/** A hold that a single association has caused lasts this long at most: others may come that HubSpot accepts. */
const LONGEST_HOLD_BY_ONE_MS = 60_000;

/** Smaller batches are cheap to search. */
const DOUBTED_FROM = 24;

/** A hold may be probed many times: a batch's record stays small. */
const ANSWERS_KEPT = 30;

/** What became of one call, after everything that can be waited out has been waited out. */
type Sent =
  | { readonly kind: 'reconciled'; readonly found: Reconciled }
  | { readonly kind: 'too-large'; readonly failure: Failure }
  | { readonly kind: 'held'; readonly hold: Hold }
  /** by the weather, or in fine weather maybe by one of the inputs */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly fine: boolean };

export class Delivery {
  constructor(private readonly parts: DeliveryParts) {}

  /** @param turn for the first call. It never rejects. */
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
      // Redis is away, or this code is wrong: nobody hangs, nothing is lost, no attempt is spent
      this.parts.logger.error(
        { event: 'delivery failed', error: messageOf(error) },
        'batch goes back to the queue',
      );
    }
    return run.close();
  }
}

type HubSpotAnswer = Answer & { readonly kind: 'answer' };
/** Nothing is known of the inputs: the account is held, and the same call is sent again. */
type AccountVerdict = CallVerdict & {
  readonly kind: 'rate-limited' | 'migrating' | 'unauthorized' | 'wrong-account';
};

/** The delivery of one batch. An input is an index into its columns, and a group of them is sent in one call. */
class Run {
  readonly #counts = { created: 0, retry: 0, rejected: 0, held: 0 };
  #calls = 0;
  readonly #answers: string[] = [];
  #sentAt = 0;
  /** epoch of {@link Evidence}: when a refusal first spoke of the account */
  #wrongAccountAt: number | undefined;
  #hasHeld = false;
  #search: ReturnType<Searches['begin']>;
  /** inputs; several associations may wait for one */
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

  /** The search takes its place among the searches. @returns what stops it; undefined: the next group may be sent */
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
      // words that say nothing against the inputs spend no attempt of theirs
      if (isMute(words)) return this.giveBack(hold);
    }
    this.#settleAll(unresolved, refused(words));
  }

  /** @param refused HubSpot has refused all unresolved inputs in one call before */
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

  /** Whoever has no outcome by now was forgotten by a fault of ours: it goes back to the queue. */
  close(): DeliveryReport {
    const { open, size } = this.batch.inputs;
    if (open > 0) {
      const reason = `${open} of ${size} inputs were left without an outcome`;
      this.parts.logger.error({ event: 'unsettled' }, reason);
      this.giveBack({ scope: 'pair', forMs: 1_000, reason });
    }
    return { counts: this.#counts, calls: this.#calls, answers: this.#answers };
  }

  /** A probe that has found out nothing leaves the way to another one. */
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
    // whatever is said speaks of this input; a call without effect, where nothing is said, is tried again
    if (isMute(found.failure)) await this.#applyMute(alone, found.failure, isolation.hasAccepted);
    else this.#settle(alone, this.#refusal(alone, found.failure, isFinal(found.failure)));
    isolation.reportAlone();
  }

  /**
   * An input was refused alone, with words that may be about the account as well: it is at fault only if others of its
   * kind are accepted after that. Where some were accepted just before, it comes back alone; else nothing is known.
   */
  async #applyMute(alone: number, failure: Failure, hasAccepted: boolean): Promise<void> {
    const { inputs } = this.batch;
    const [, name = ''] = pairNames(this.batch, inputs.typesTexts([alone]));
    if (this.parts.evidence.refusedAlone(name, inputs.pairAt(alone).join(' ')))
      return this.#settle(alone, this.#refusal(alone, failure, true));
    if (hasAccepted) return this.#settle(alone, refused(failure));
    this.#settle(alone, { kind: 'held', hold: await this.#holdTypes([alone], failure) });
  }

  /** What is known of the object pair, where it may be at fault rather than single inputs. */
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

  /** Another batch, or another replica, has found out meanwhile that nothing of this is accepted. */
  #heldMeanwhile(hasAccepted: boolean): Hold | undefined {
    const { batch, parts } = this;
    if (hasAccepted || batch.probes || !parts.quota.holdsPairs) return undefined;
    const held = parts.quota.heldOf(namesOf(batch));
    return held && { scope: 'pair', forMs: held.until - Date.now(), reason: held.reason };
  }

  /** Sends until HubSpot has said something about the inputs, or there is a reason to stop. */
  async #send(group: readonly number[], given?: Turn): Promise<Sent> {
    const { gate } = this.parts;
    for (let turn = given; ; turn = undefined) {
      const entry = turn ?? (await gate.pass(this.#line, 'urgent', this.signal));
      if (entry.kind === 'stopped') return { kind: 'held', hold: entry.hold };
      if (entry.kind === 'paced') continue; // only partial batches of the dispatcher are paced
      const answer = await this.#call(group, entry.permit).finally(entry.leave);
      const sent = await this.#read(answer, group, entry.permit);
      if (sent) return sent;
    }
  }

  /** @returns what became of the call; undefined: the same inputs are sent again */
  async #read(answer: Answer | NotSent, group: readonly number[], permit: Permit): Promise<Sent | undefined> {
    const { quota } = this.parts;
    if (answer.kind === 'not-sent') {
      // the batch stays sealed; no attempt, no failure
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
        // others are accepted meanwhile: the fault lies in what this batch holds
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
        // a batch that has failed as the probe goes back as well: the next probe is another batch's turn
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

  /** A batch that is searched goes with the suspects. */
  get #line(): Line {
    return this.#search ? 'suspect' : this.batch.line;
  }

  /** A refusal speaks of the account, and yet others were accepted since it first did. */
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

  /** HubSpot accepts their object pair: its hold is over. */
  async #accepted(types: Iterable<string>): Promise<void> {
    const names = pairNames(this.batch, types);
    this.parts.evidence.accepted(names);
    if (this.parts.quota.holdsPairs) await this.parts.quota.freePair(...names);
  }

  /** HubSpot judges single inputs: the hold of their object pair as a whole is over, too. */
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

  /** Waiters with different types share a merged input: each is judged by itself before anybody is rejected. */
  #refusal(input: number, failure: Failure, final: boolean): Outcome {
    return final && !this.batch.inputs.isMerged(input) ? { kind: 'rejected', failure } : refused(failure);
  }

  /** What a failed call says of the weather. */
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

/** Nothing is known of them yet but that the call failed: they come back as they are. */
const tooManySearches = (forMs: number): Hold => ({
  scope: 'pair',
  forMs,
  reason: 'HubSpot refused some of a batch without naming them, and many such batches are searched already',
});

/** HubSpot has said something of the input that is not final. */
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

/** Why the account or an object pair is held. */
const said = (answer: Answer): string =>
  `${answer.kind === 'answer' ? `${answer.status} from HubSpot: ` : ''}${wordsOf(answer)}`;

const correlationOf = (answer: Answer): string => (answer.kind === 'answer' && answer.correlationId) || '';

/** As it may enter a job. */
function categoryIn(body: unknown): string | undefined {
  const category = text(field(body, 'category'));
  return category === undefined ? undefined : enteringWords(category, MAX_WORD);
}

/** HubSpot's message, or what little there is. */
function wordsOf(answer: Answer): string {
  if (answer.kind === 'none') return answer.message;
  return shorten((text(field(answer.body, 'message')) ?? `HTTP ${answer.status}`) + whyOf(answer.body));
}
