/**
 * Processor: the story of one job. Its data is read, its pairs are submitted, their outcomes become a settlement, the
 * settlement is written, and the job moves on: it is complete, or delayed, or failed, or given back. Plain jobs, nearly
 * all, take a shorter way to the same end, without a promise (plain-work.ts), for as long as nothing is refused.
 */

import { type FetchedJob, GIVEN_UP, type JobQueue } from '../../bullmq/job-queue.js';
import { type JobData, type Pair, parseJobData } from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import { type JobHead, PlainJobReader } from '../../shared/contract/job-text.js';
import { readJson } from '../../shared/contract/json.js';
import { withJitter } from '../../shared/runtime/backoff.js';
import type { Logger } from '../../shared/runtime/logger.js';
import type { Submission, Submitter } from '../batches/batch.js';
import type { Hold, Outcome } from '../batches/outcome.js';
import { PlainWork, type PlainWorkOwner, withBatch } from './job-work.js';
import type { Finish, JobEntry, Ledger } from './ledger.js';
import { readProgress, ridesOf } from './progress.js';
import type { RetryPolicy } from './retry-policy.js';
import { allCreated, type Next, reopen, type Settlement, settleJob } from './settlement.js';

export type ProcessorParts = {
  readonly queue: JobQueue;
  readonly policy: RetryPolicy;
  readonly submit: (submission: Submission, submitter: Submitter) => void;
  readonly ledger: Pick<Ledger, 'settle' | 'settleCreated'>;
  readonly logger: Logger;
};

/** Anything unexpected (Redis full or read-only, a fault of ours) brings the job back. */
const UNEXPECTED_DELAY_MS = 5_000;
const MAX_FAULTS_SHOWN = 20;

class LostLock extends Error {}

export class Processor {
  readonly #reader = new PlainJobReader();
  readonly #plainWork: PlainWorkOwner = {
    onOutcomes: (work, outcomes) => this.#onOutcomes(work, outcomes),
    onSettled: (work, ours) => this.#onSettled(work, ours),
  };

  constructor(private readonly parts: ProcessorParts) {}

  /** Submits the job's pairs before it first waits. @param onEnd called when the job has moved on, or is given up */
  process(job: FetchedJob, onEnd: (job: FetchedJob) => void): void {
    const { queue, submit } = this.parts;
    const plain = job.mustFail || queue.isTraced ? undefined : this.#reader.read(job.text);
    if (plain) {
      const work = new PlainWork(job, plain, this.#plainWork, onEnd);
      submit(work, work);
    } else void this.#toTheEnd(job, () => this.#work(job)).then(() => onEnd(job));
  }

  /** It never rejects. */
  #toTheEnd(job: FetchedJob, work: () => Promise<void>): Promise<void> {
    const { queue } = this.parts;
    return (queue.isTraced ? queue.traced(job, work) : work()).catch(error => this.#bringBack(job, error));
  }

  #onOutcomes(work: PlainWork, outcomes: readonly Outcome[]): void {
    const { job, head, onEnd } = work;
    const { ledger, policy } = this.parts;
    const isWhole = outcomes.every(isCreated);
    if (isWhole && job.standsAlone && job.isFirstAttempt) {
      ledger.settleCreated(work);
      return;
    }
    const judge = async () => {
      const settlement = isWhole ? allCreated(outcomes.length) : settleJob(dataOf(job), outcomes, policy);
      return this.#settleAs(job, head, settlement, work.batches);
    };
    void this.#toTheEnd(job, judge).then(() => onEnd(job));
  }

  #onSettled({ job, onEnd }: PlainWork, ours: boolean | Error): void {
    if (ours === true) onEnd(job);
    else void this.#bringBack(job, ours || lostLock(job.id)).then(() => onEnd(job));
  }

  async #bringBack(job: FetchedJob, error: unknown): Promise<void> {
    const { queue, logger } = this.parts;
    const reason = messageOf(error);
    logger.warn({ event: 'unexpected', jobId: job.id, error: reason }, 'job comes back');
    if (error instanceof LostLock) return;
    // where this fails, too, the lock runs out, and the job comes back as one whose worker died
    await queue
      .retry(job, UNEXPECTED_DELAY_MS, reason)
      .catch(cause => logger.warn({ event: 'given up', jobId: job.id, error: messageOf(cause) }, GIVEN_UP));
  }

  async #work(job: FetchedJob): Promise<void> {
    const { queue, policy } = this.parts;
    if (job.mustFail) return queue.fail(job, job.mustFail);
    const checked = parseJobData(readJson(job.text));
    if (!checked.ok) return queue.fail(job, invalidReason(checked.faults));
    const again = reopen(checked.data);
    if (again) await this.#takeBack(job, again);
    const data = again?.data ?? checked.data;
    let batches = '';
    const outcomes = await this.#outcomes(job, data, id => {
      batches = withBatch(batches, id);
    });
    return this.#settleAs(job, data, settleJob(data, outcomes, policy), batches);
  }

  /** Of all its pairs. Those under different suspicion ride in different batches. */
  async #outcomes(job: FetchedJob, data: JobData, onSealed: (batchId: string) => void): Promise<Outcome[]> {
    const { fromObjectType, toObjectType, types, pairs } = data;
    const about = { fromObjectType, toObjectType, types, high: job.high, onSealed };
    const all = new Array<Outcome>(pairs.length);
    const rides = ridesOf(readProgress(data)).map(({ suspicion, failedBefore, places }) => {
      const riders = places.length === pairs.length ? pairs : places.map(place => pairs[place] as Pair);
      const submission = { ...about, pairs: riders, suspicion, failedBefore };
      return new Promise<void>(resolve => {
        this.parts.submit(submission, {
          onOutcomes(outcomes) {
            for (const [at, place] of places.entries()) all[place] = outcomes[at] as Outcome;
            resolve();
          },
        });
      });
    });
    await Promise.all(rides);
    return all;
  }

  /** What has become of the job is written, and it moves on. */
  async #settleAs(
    job: FetchedJob,
    { requestId, source }: JobHead,
    settlement: Settlement,
    batches: string,
  ): Promise<void> {
    const { next, created, rejected, retried, data } = settlement;
    const finish = job.standsAlone ? finishOf(next) : undefined;
    if (finish || created + rejected + retried > 0)
      await this.#settle({
        ...{ jobId: job.id, token: job.token, data, created, rejected, retried },
        ...{ requestId, batches, finish },
      });
    if (next.kind === 'fail')
      this.parts.logger.warn({ event: 'rejected', jobId: job.id, rejected, source }, next.reason);
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
        const delayMs = Math.max(next.leastMs, withJitter(next.withinMs));
        logger.debug({ event: 'retry', jobId: job.id, delayMs }, next.reason);
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
    if (!(await this.parts.ledger.settle(entry))) throw lostLock(entry.jobId);
  }
}

const lostLock = (jobId: string) =>
  new LostLock(`job ${jobId}: another worker has it by now, or it was settled before`);
const isCreated = ({ kind }: Outcome): boolean => kind === 'created';

/** Of a plain job: what was read of it in passing is not all that it says. */
function dataOf(job: FetchedJob): JobData {
  const checked = parseJobData(readJson(job.text));
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
