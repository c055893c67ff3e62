/**
 * Turnstile: the way to a call. It asks the quota and waits for its turn; together with the dispatcher's linger it is
 * all the waiting there is in the worker. Short holds are waited out here; of long ones the caller is told, so that no
 * job is kept locked for hours, and nobody who looks up a label waits for more than a moment.
 */
import { sleep } from '../shared/runtime/wait.js';
import type { Answer, Permit, Quota } from './quota.js';

/** A longer hold gives the jobs back to the queue. */
export const LONG_HOLD_MS = 60_000;
/** While a permit waits this long for its time, others may have been told to stop, or high priority may have come. */
const LONG_WAIT_MS = 50;
/** A hold may end early (a probe succeeded elsewhere): ask again this often. */
const ASK_AGAIN_MS = 1_000;

/** Why nothing may be sent, and for how long (milliseconds from now). shutdown: the signal was aborted. */
export type Stop = Readonly<{ scope: 'account' | 'shutdown'; forMs: number; reason: string }>;

export type Passage =
  | Permit
  | { readonly kind: 'paced'; readonly forMs: number }
  | { readonly kind: 'stopped'; readonly hold: Stop };

export class Turnstile {
  #heldUntil = 0;
  #isScarce = true;

  constructor(
    private readonly quota: Quota,
    private readonly onWait: (waitMs: number) => void = () => {},
    private readonly longHoldMs: number = LONG_HOLD_MS,
  ) {}

  /** Nothing moves at the moment, as far as this replica knows. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** The last permit had to be waited for, or there was none. */
  get isScarce(): boolean {
    return this.#isScarce;
  }

  /**
   * Waits until a call may go. The permit must be used or released.
   * @param signal aborted when the process ends: answered with a hold
   * @param spread as {@link Quota.ask} has it
   */
  async pass(partial: boolean, signal: AbortSignal, spread = false): Promise<Passage> {
    const since = performance.now();
    while (!signal.aborted) {
      const answer: Answer = await this.quota.ask(partial, spread);
      this.#isScarce = answer.kind !== 'granted' || answer.waitMs > 0 || answer.probe;
      if (answer.kind === 'paced') return answer;
      if (answer.kind === 'granted') {
        this.#heldUntil = 0;
        if (answer.waitMs > 0) await sleep(answer.waitMs, signal);
        const changed = answer.waitMs > LONG_WAIT_MS ? await this.quota.lookAgain(answer) : undefined;
        if (signal.aborted || changed?.held) {
          await this.quota.release(answer);
          continue;
        }
        this.onWait(performance.now() - since);
        return changed ? { ...answer, high: changed.high } : answer;
      }
      this.#heldUntil = performance.now() + answer.forMs;
      if (answer.forMs > this.longHoldMs)
        return { kind: 'stopped', hold: { scope: 'account', forMs: answer.forMs, reason: answer.reason } };
      await sleep(Math.min(answer.forMs, ASK_AGAIN_MS), signal);
    }
    return { kind: 'stopped', hold: { scope: 'shutdown', forMs: 0, reason: 'this worker is shutting down' } };
  }
}
