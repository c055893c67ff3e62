/**
 * Processor: the story of one job. Its data is read, its pairs are submitted, their outcomes become a settlement, the
 * settlement is written, and the job moves on: it is complete, or delayed, or failed, or given back.
 */
import { type JobData, parseJobData } from '../shared/association.js';
import { backoffMs } from '../shared/backoff.js';
import { messageOf } from '../shared/errors.js';
import type { Logger } from '../shared/logger.js';
import type { Submission } from './batch.js';
import type { FetchedJob, JobQueue } from './job-queue.js';
import { type JobHead, PlainJobReader, parsed } from './job-text.js';
import type { Finish, JobEntry } from './ledger.js';
import type { Hold, Outcome } from './outcome.js';
import { NumberPairs } from './pairs.js';
import { type Next, reopen, type Settlement, settleJob, settlePlainJob, suspicion } from './settlement.js';

export type ProcessorParts = {
  readonly queue: JobQueue;
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly submit: (submission: Submission) => Promise<Outcome[]>;
  /** @returns false when somebody else has the job by now */
  readonly settle: (entry: JobEntry) => Promise<boolean>;
  readonly logger: Logger;
};

/** Anything unexpected (Redis full or read-only, a fault of ours) brings the job back. */
const UNEXPECTED_DELAY_MS = 5_000;
const MAX_FAULTS_SHOWN = 20;

class LostLock extends Error {}

export class Processor {
  readonly #reader = new PlainJobReader();

  constructor(private readonly parts: ProcessorParts) {}

  /** Submits the job's pairs before it first waits. It never rejects. */
  process(job: FetchedJob): Promise<void> {
    const { queue } = this.parts;
    const work = queue.isTraced ? queue.traced(job, () => this.#work(job)) : this.#work(job);
    return work.catch(error => this.#bringBack(job, error));
  }

  async #bringBack(job: FetchedJob, error: unknown): Promise<void> {
    const { queue, logger } = this.parts;
    const reason = messageOf(error);
    logger.warn({ event: 'unexpected', jobId: job.id, error: reason }, 'job comes back');
    if (error instanceof LostLock) return;
    // where this fails, too, the lock runs out, and the job comes back as one whose worker died
    await queue
      .retry(job, UNEXPECTED_DELAY_MS, reason)
      .catch(cause => logger.warn({ event: 'given up', jobId: job.id, error: messageOf(cause) }));
  }

  async #work(job: FetchedJob): Promise<void> {
    const { queue, maxAttempts } = this.parts;
    if (job.mustFail) return queue.fail(job, job.mustFail);
    const plain = this.#reader.read(job.text);
    if (plain) {
      const pairs = new NumberPairs(plain.ids);
      const read = () => dataOf(job);
      return this.#associate(job, { ...plain.head, pairs, suspicion: 0 }, outcomes =>
        settlePlainJob(read, outcomes, maxAttempts),
      );
    }
    const checked = parseJobData(parsed(job.text));
    if (!checked.ok) return queue.fail(job, invalidReason(checked.faults));
    const again = reopen(checked.data);
    if (again) await this.#takeBack(job, again);
    const data = again?.data ?? checked.data;
    return this.#associate(job, { ...data, suspicion: suspicion(data) }, outcomes =>
      settleJob(data, outcomes, maxAttempts),
    );
  }

  /** Its pairs are submitted, and what becomes of them is written. */
  async #associate(
    job: FetchedJob,
    wanted: JobHead & Pick<Submission, 'pairs' | 'suspicion'>,
    judge: (outcomes: readonly Outcome[]) => Settlement,
  ): Promise<void> {
    const { submit, logger } = this.parts;
    const { fromObjectType, toObjectType, types, pairs, suspicion, requestId, source } = wanted;
    let batches = '';
    const outcomes = await submit({
      ...{ fromObjectType, toObjectType, types, pairs, suspicion },
      high: job.high,
      onSealed: id => {
        if (!batches.endsWith(id)) batches += batches === '' ? id : ` ${id}`;
      },
    });
    const settlement = judge(outcomes);
    const { next, created, rejected, retried } = settlement;
    const finish = job.isPlain ? finishOf(next) : undefined;
    if (finish || created + rejected + retried > 0)
      await this.#settle({
        ...{ jobId: job.id, token: job.token, data: settlement.data, created, rejected, retried },
        ...{ requestId, batches, finish },
      });
    if (next.kind === 'fail')
      logger.warn({ event: 'rejected', jobId: job.id, rejected, source }, next.reason);
    if (!finish) await this.#move(job, next);
  }

  async #move(job: FetchedJob, next: Next): Promise<void> {
    const { queue, logger } = this.parts;
    switch (next.kind) {
      case 'complete':
        return queue.complete(job, { created: next.created });
      case 'fail':
        return queue.fail(job, next.reason);
      case 'retry': {
        const delayMs = Math.max(next.leastMs, backoffMs(next.attempt, this.parts.backoffMs));
        logger.debug({ event: 'retry', jobId: job.id, attempt: next.attempt, delayMs }, next.reason);
        return queue.retry(job, delayMs, next.reason);
      }
      case 'hold':
        return this.#giveBack(job, next.hold);
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
        return queue.delay(job, hold.forMs);
      case 'shutdown':
        return queue.putBack(job);
      default:
        hold.scope satisfies never;
    }
  }

  /** A failed job that was retried from a dashboard: its rejections are taken back before anything is sent. */
  #takeBack(
    { id, token }: FetchedJob,
    { data, reopened }: { data: JobData; reopened: number },
  ): Promise<void> {
    const { requestId } = data;
    return this.#settle({ jobId: id, token, data, created: 0, rejected: -reopened, retried: 0, requestId });
  }

  async #settle(entry: JobEntry): Promise<void> {
    if (!(await this.parts.settle(entry)))
      throw new LostLock(`job ${entry.jobId}: another worker has it by now, or it was settled before`);
  }
}

/** Of a plain job: what was read of it in passing is not all that it says. */
function dataOf(job: FetchedJob): JobData {
  const checked = parseJobData(parsed(job.text));
  if (!checked.ok) throw new Error(invalidReason(checked.faults));
  return checked.data;
}

/** How the job ends, if it does. */
function finishOf(next: Next): Finish | undefined {
  if (next.kind === 'complete') return { state: 'completed', returnValue: { created: next.created } };
  return next.kind === 'fail' ? { state: 'failed', reason: next.reason } : undefined;
}

function invalidReason(faults: readonly string[]): string {
  const more = faults.length > MAX_FAULTS_SHOWN ? `; and ${faults.length - MAX_FAULTS_SHOWN} more` : '';
  return `invalid job data: ${faults.slice(0, MAX_FAULTS_SHOWN).join('; ')}${more}`;
}
