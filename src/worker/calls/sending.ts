/**
 * Sending: sends a group of a batch's inputs until HubSpot has judged them, or there is a reason to stop. Each round passes
 * the gate, makes one call, leaves the slot, and reads the answer. An answer about the account holds the account, and the
 * same inputs are sent again. It uses or releases every permit. It settles no input: delivery.ts acts on the result.
 */
import { type Answer, type CallVerdict, classifyCall } from '../../hubspot/classify.js';
import type { NotSent, Slot } from '../../hubspot/departure.js';
import type { Permit, Quota } from '../../hubspot/quota.js';
import type { Sign } from '../../hubspot/weather.js';
import type { Batch } from '../batches/batch.js';
import type { Call } from '../batches/columns.js';
import type { Inputs } from '../batches/inputs.js';
import { type Failure, type Hold, SHUTTING_DOWN } from '../batches/outcome.js';
import type { Line } from '../batches/submission.js';
import type { Evidence } from './evidence.js';
import { failureOf, recordOf, statusOf } from './failure.js';
import type { Gate, Turn } from './gate.js';
import { type AccountParts, holdAccount, type PairHolds } from './holds.js';
import { type Reconciled, reconcile } from './reconcile.js';

/** Receives the calls. */
export type CallReport = {
  /** @param status HTTP status, or TIMEOUT and the like @param ms duration of the call */
  call(status: string, ms: number): void;
  /** A call was too late for its permit and was not sent. @param coveredMs the lateness that the margin covers from now on */
  expired(lateMs: number, coveredMs: number): void;
};

export type SendingParts = AccountParts & {
  readonly caller: {
    create(
      call: Call,
      signal: AbortSignal,
      slot: Slot,
      onLate: (lateMs: number) => void,
    ): Promise<Answer | NotSent>;
  };
  readonly quota: Pick<Quota, 'failed' | 'release' | 'usedLate'>;
  readonly gate: Pick<Gate, 'pass'>;
  readonly evidence: Pick<Evidence, 'anythingSince'>;
  readonly report: CallReport;
  /** absent if traces are off; a span around each call */
  readonly traces?:
    | { call(call: Call, send: () => Promise<Answer | NotSent>): Promise<Answer | NotSent> }
    | undefined;
};

/** The result of sending one group, after short holds have been waited out. */
export type Sent =
  | { readonly kind: 'reconciled'; readonly found: Reconciled }
  | { readonly kind: 'too-large'; readonly failure: Failure }
  | { readonly kind: 'held'; readonly hold: Hold }
  /** failed because of the weather, or in fine weather perhaps because of an input */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly fine: boolean };

/** Most answers in a batch's record, because a hold may be probed many times. */
const ANSWERS_KEPT = 30;
/** Verdicts that do not show that HubSpot answers for this account. */
const NO_ANSWER: readonly CallVerdict['kind'][] = ['unavailable', 'unauthorized', 'wrong-account'];

type HubSpotAnswer = Answer & { readonly kind: 'answer' };

/** Sends the groups of one batch, and keeps the record of its calls. */
export class Sending {
  #calls = 0;
  readonly #answers: string[] = [];
  #sentAt = 0;
  /** epoch of {@link Evidence} at the first refusal about the account */
  #wrongAccountAt: number | undefined;

  constructor(
    private readonly batch: Batch,
    private readonly holds: Pick<PairHolds, 'forbid'>,
    private readonly parts: SendingParts,
    private readonly signal: AbortSignal,
  ) {}

  /** Number of calls that were made. */
  get calls(): number {
    return this.#calls;
  }

  /** For each of the first calls: status (or TIMEOUT and the like) and HubSpot's correlation id, if there is one. */
  get answers(): readonly string[] {
    return this.#answers;
  }

  /** @param given slot and permit for the first call, if the caller has them. @throws Error if Redis fails */
  async send(group: readonly number[], line: Line, given?: Turn): Promise<Sent> {
    const { gate } = this.parts;
    for (let turn = given; ; turn = undefined) {
      const entry = turn ?? (await gate.pass(line, 'urgent', this.signal));
      if (entry.kind === 'stopped') return { kind: 'held', hold: entry.hold };
      if (entry.kind === 'paced') continue; // the quota paces only partial batches of the dispatcher
      const answer = await this.#call(group, entry.permit).finally(entry.leave);
      const sent = await this.#read(answer, group, entry.permit);
      if (sent) return sent;
    }
  }

  async #call(group: readonly number[], permit: Permit): Promise<Answer | NotSent> {
    const { fromObjectType, toObjectType, inputs } = this.batch;
    const call = { fromObjectType, toObjectType, columns: inputs.columns(group) };
    this.#sentAt = performance.now();
    this.#calls += 1;
    const { caller, quota, traces, report } = this.parts;
    const onLate = (lateMs: number) => void quota.usedLate(permit, lateMs);
    const send = () => caller.create(call, this.signal, permit.slot, onLate);
    const answer = await (traces?.call(call, send) ?? send());
    if (answer.kind === 'not-sent') {
      this.#calls -= 1;
      return answer;
    }
    report.call(statusOf(answer), performance.now() - this.#sentAt);
    if (this.#answers.length < ANSWERS_KEPT) this.#answers.push(recordOf(answer));
    return answer;
  }

  /** @returns the result of the call; undefined if the same inputs must be sent again */
  async #read(answer: Answer | NotSent, group: readonly number[], permit: Permit): Promise<Sent | undefined> {
    const { quota, report } = this.parts;
    if (answer.kind === 'not-sent') {
      // the batch stays sealed; this is neither an attempt nor a failure
      report.expired(answer.lateMs, await quota.release(permit, answer.lateMs));
      return undefined;
    }
    if (this.signal.aborted && answer.kind === 'none') return { kind: 'held', hold: SHUTTING_DOWN };
    const verdict = classifyCall(answer);
    const isInput = verdict.kind === 'wrong-account' && this.#hasAcceptedOthers;
    if (isInput || !NO_ANSWER.includes(verdict.kind))
      await quota.answered(permit, this.batch.inputs.hasFirstTimers(group));
    switch (verdict.kind) {
      case 'accepted':
      case 'refused':
        return this.#reconciled(answer as HubSpotAnswer, verdict.kind === 'accepted', group);
      case 'too-large':
        return { kind: 'too-large', failure: failureOf(answer) };
      case 'wrong-account':
        // HubSpot accepted others meanwhile, so this batch is the cause
        if (isInput) return this.#reconciled(answer as HubSpotAnswer, false, group);
        this.#wrongAccountAt ??= performance.now();
        break;
      case 'rate-limited':
      case 'migrating':
      case 'unauthorized':
        break;
      case 'forbidden':
        return { kind: 'held', hold: await this.holds.forbid(answer, 0) };
      case 'locked':
        return { kind: 'held', hold: await this.holds.forbid(answer, verdict.forMs) };
      case 'unavailable':
        return this.#failed(answer, group, permit);
    }
    await holdAccount(this.parts, verdict, answer, { permit, sentAt: this.#sentAt });
    return undefined;
  }

  /** A batch that failed as the probe goes back as well; another batch is the next probe. */
  async #failed(answer: Answer, group: readonly number[], permit: Permit): Promise<Sent> {
    const failure = failureOf(answer);
    const sign = signOf(this.batch.inputs, group);
    const { fine, at } = await this.parts.quota.failed(failure.message, permit, sign);
    return { kind: 'failed', failure: { ...failure, at }, fine };
  }

  #reconciled(answer: HubSpotAnswer, accepted: boolean, inputs: readonly number[]): Sent {
    const { fromObjectType, toObjectType, inputs: columns } = this.batch;
    return {
      kind: 'reconciled',
      found: reconcile(answer, accepted, { fromObjectType, toObjectType, columns, inputs }),
    };
  }

  /** True if HubSpot has accepted others since it first refused this batch because of the account. */
  get #hasAcceptedOthers(): boolean {
    const since = this.#wrongAccountAt;
    return since !== undefined && this.parts.evidence.anythingSince(since);
  }
}

/** @returns what a failed call says about the weather */
function signOf(inputs: Inputs, group: readonly number[]): Sign {
  const [first] = group;
  const isSuspect = first === undefined || inputs.isSuspect(first);
  return {
    firstTimers: inputs.hasFirstTimers(group),
    firstPair: isSuspect ? '' : inputs.pairAt(first).join(' '),
  };
}
