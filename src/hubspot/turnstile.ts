/**
 * Turnstile: asks the quota for a permit and waits until the call may go. It waits out short holds. It reports long ones
 * to the caller, so that no job stays locked for hours and no lookup of a label waits long.
 */
import { sleep } from '../shared/runtime/wait.js';
import type { Permit, Quota, QuotaReply } from './quota.js';

/** After a longer hold the worker puts the jobs back into the queue. */
export const LONG_HOLD_MS = 60_000;
/** While a permit waits longer than this, a hold may begin, or jobs of high priority may arrive: look again. */
const LONG_WAIT_MS = 50;
/** A hold may end early, because a probe of another replica succeeded: ask again this often. */
const ASK_AGAIN_MS = 1_000;

/** Why no call may go, and for how long (milliseconds from now). shutdown: the signal was aborted. */
export type Stop = Readonly<{ scope: 'account' | 'shutdown'; forMs: number; reason: string }>;

export type Passage =
  | Permit
  | { readonly kind: 'paced'; readonly forMs: number }
  | { readonly kind: 'stopped'; readonly hold: Stop };

export class Turnstile {
  #heldUntil = 0;
  #isScarce = true;

  constructor(
    private readonly quota: Pick<Quota, 'ask' | 'lookAgain' | 'release'>,
    private readonly onWait: (waitMs: number) => void = () => {},
    private readonly longHoldMs: number = LONG_HOLD_MS,
  ) {}

  /** True while the account is held, as far as this replica knows. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** True if the last request had to wait for its permit or got none. */
  get isScarce(): boolean {
    return this.#isScarce;
  }

  /**
   * Waits until a call may go. The caller must use or release the permit.
   * @param signal aborted when the process ends; the result is then a stop of scope `shutdown`
   * @param spread see {@link Quota.ask}
   */
  async pass(partial: boolean, signal: AbortSignal, spread = false): Promise<Passage> {
    const since = performance.now();
    while (!signal.aborted) {
      const answer: QuotaReply = await this.quota.ask(partial, spread);
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
