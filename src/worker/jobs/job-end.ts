/**
 * Ends a job: turns its outcomes into a settlement, writes the settlement, and completes, delays, fails or gives back the
 * job. It never throws to its caller: any error brings the job back, and every job is reported as ended exactly once.
 */
import type { FetchedJob } from '../../bullmq/fetched-job.js';
import { GIVEN_UP, type JobQueue } from '../../bullmq/job-queue.js';
import { messageOf } from '../../shared/contract/errors.js';
import { withJitter } from '../../shared/runtime/backoff.js';
import type { Logger } from '../../shared/runtime/logger.js';
import type { Hold, Outcome } from '../batches/outcome.js';
import type { Ending, JobSpan, JobWork } from './job-work.js';
import type { Ledger } from './ledger.js';
import type { RetryPolicy } from './retry-policy.js';
import { type Next, type Settlement, settleJob } from './settlement.js';

export type JobEndParts = {
  readonly queue: Pick<JobQueue, 'complete' | 'retry' | 'fail' | 'delay' | 'putBack' | 'hold'>;
  readonly policy: RetryPolicy;
  readonly ledger: Pick<Ledger, 'settle'>;
  /** called when the job has moved on or is given up */
  readonly onEnd: (job: FetchedJob) => void;
  readonly logger: Logger;
};

/** Delay of a job that comes back after an unexpected error (Redis full or read-only, a bug). */
const UNEXPECTED_DELAY_MS = 5_000;

class LostLock extends Error {}

/** A job that was opened. */
export type Opened = { readonly job: FetchedJob; readonly trace: JobSpan | undefined };

export class JobEnd implements Ending {
  constructor(private readonly parts: JobEndParts) {}

  /** Settles a job whose pairs all have their outcomes. */
  settle(work: JobWork, outcomes: readonly Outcome[]): void {
    try {
      this.settleAs(work, settleJob(work, outcomes, this.parts.policy));
    } catch (error) {
      this.bringBack(work, error);
    }
  }

  /** Writes the settlement if there is something to write, and moves the job on. */
  settleAs(work: JobWork, settlement: Settlement): void {
    work.settlement = settlement;
    const { created, rejected, retried } = settlement;
    if (work.endsSettled || created !== 0 || rejected !== 0 || retried !== 0) this.parts.ledger.settle(work);
    else this.#moveOn(work, settlement.next);
  }

  /** @param ours true: the settlement is written; false: another worker has the job now; an error: nothing is written */
  onSettled(work: JobWork, ours: boolean | Error): void {
    const { job, settlement } = work;
    if (ours !== true || !settlement) {
      this.bringBack(work, ours instanceof Error ? ours : lostLock(job.id));
      return;
    }
    const { next, rejected } = settlement;
    if (next.kind === 'fail')
      this.parts.logger.warn(
        { event: 'rejected', jobId: job.id, rejected, source: work.head.source },
        next.reason,
      );
    if (work.endsSettled) this.#end(work);
    else this.#moveOn(work, next);
  }

  /** Fails a job with invalid data, or one that BullMQ says must fail. */
  fail(opened: Opened, reason: string): void {
    this.#moveOn(opened, { kind: 'fail', reason });
  }

  /** Brings the job back after an unexpected error, so that nothing is lost. */
  bringBack(opened: Opened, error: unknown): void {
    void this.#bringBack(opened, error).then(() => this.#end(opened));
  }

  #moveOn(opened: Opened, next: Next): void {
    const { job, trace } = opened;
    const move = () => this.#move(job, next);
    void (trace ? trace.run(move) : move())
      .catch(error => this.#bringBack(opened, error))
      .then(() => this.#end(opened));
  }

  #end({ job, trace }: Opened): void {
    trace?.end();
    this.parts.onEnd(job);
  }

  /** Never rejects. If this fails as well, the lock expires, and BullMQ requeues the job as stalled. */
  async #bringBack({ job, trace }: Opened, error: unknown): Promise<void> {
    const { queue, logger } = this.parts;
    const reason = messageOf(error);
    trace?.failed(error);
    logger.warn({ event: 'unexpected', jobId: job.id, error: reason }, 'job comes back');
    if (error instanceof LostLock) return;
    try {
      await queue.retry(job, UNEXPECTED_DELAY_MS, reason);
    } catch (cause) {
      logger.warn({ event: 'given up', jobId: job.id, error: messageOf(cause) }, GIVEN_UP);
    }
  }

  async #move(job: FetchedJob, next: Next): Promise<void> {
    const { queue, logger } = this.parts;
    switch (next.kind) {
      case 'complete':
        return queue.complete(job, { created: next.created });
      case 'fail':
        return queue.fail(job, next.reason);
      case 'retry': {
        const delayMs = Math.max(next.leastMs, withJitter(next.withinMs));
        logger.debug({ event: 'retry', jobId: job.id, delayMs }, next.reason);
        return queue.retry(job, delayMs, next.reason);
      }
      case 'hold':
        return this.#giveBack(job, next.hold);
      case 'reopened':
        return queue.putBack(job);
      default:
        next satisfies never;
    }
  }

  async #giveBack(job: FetchedJob, hold: Hold): Promise<void> {
    const { queue } = this.parts;
    switch (hold.scope) {
      case 'account':
        await queue.hold(hold.forMs);
        return queue.putBack(job);
      case 'pair':
      case 'request':
        return queue.delay(job, hold.forMs);
      case 'shutdown':
        return queue.putBack(job);
      default:
        hold.scope satisfies never;
    }
  }
}

const lostLock = (jobId: string) =>
  new LostLock(`job ${jobId}: another worker has it by now, or it was settled before`);
