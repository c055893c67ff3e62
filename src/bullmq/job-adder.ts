/**
 * Job adder: BullMQ's queue for producers. It adds jobs with BullMQ's own commands, in one of two ways: a pipeline, or one
 * MULTI together with a script of ours, so that what the script writes and the jobs are there together or not at all.
 * It waits for nothing, retries nothing, and does not know what the script does.
 */
import { type Queue, RedisQueueBackend, type Telemetry } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobData } from '../shared/contract/association.js';
import { messageOf } from '../shared/contract/errors.js';
import { JOB_NAME, type Priority } from '../shared/contract/keys.js';
import { redisReason } from '../shared/runtime/redis.js';
import { installedRelease, KNOWN } from './fingerprint.js';
import { producerJobOptions } from './layout.js';
import { execWith, ownQueue } from './own-queue.js';

/** A script with its text: a MULTI would run the other commands if Redis did not know its hash. */
export type ScriptCall = {
  readonly source: string;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
};
export type NewJob = { readonly id: string; readonly data: JobData };

/** The jobs were not added: Redis has lost BullMQ's scripts (SCRIPT FLUSH), and gets them again with the next connection. */
export class LostScripts extends Error {}

/** A repeat does not help. */
export class NoRepeat extends Error {}

/** The installed BullMQ did not send the jobs through our backend, so the script did not run. */
class OtherBullmq extends NoRepeat {
  constructor(fate: string) {
    const known = Object.values(KNOWN).at(-1);
    const { version } = installedRelease();
    super(
      `BullMQ ${version} does not add jobs as ${known} does, so no request can count them; ${fate}: install bullmq@${known}, then enqueue the same again`,
    );
  }
}

type Entries = Parameters<RedisQueueBackend['addJobs']>[0];
export type Added = {
  readonly reply: unknown;
  /** places, from 0, of the jobs whose command failed; EXEC runs the other commands and the script all the same */
  readonly refused: readonly number[];
  /** why the first of them failed */
  readonly refusal?: Error | undefined;
};
type Transaction = { readonly call: ScriptCall; result?: Added };

class Backend extends RedisQueueBackend {
  /** id of the first job → the script that runs in the same transaction */
  readonly transactions = new Map<string, Transaction>();

  override async addJobs(entries: Entries): Promise<string[]> {
    const transaction = this.transactions.get(entries[0]?.jobId ?? '');
    if (!transaction) return super.addJobs(entries);
    const client = await this.queue.client;
    const multi = client.multi();
    // This sends nothing yet. The replies come with the transaction.
    try {
      for (const { job, jobId, parentKeyOpts } of entries)
        await this.addJobToTransaction(multi, job, jobId, parentKeyOpts);
    } catch (cause) {
      throw new NoRepeat(`a job cannot be sent: ${messageOf(cause)}`);
    }
    const { source, keys, args } = transaction.call;
    const replies = await execWith(multi, each => each.eval(source, keys.length, ...keys, ...args));
    const [failure, reply] = replies.at(-1) ?? [new Error('the transaction has no reply')];
    const refused = entries.flatMap((_, at) => (replies[at]?.[0] ? [at] : []));
    const refusal = replies[refused[0] ?? -1]?.[0] ?? undefined;
    if (failure && refusal && refused.length === entries.length) throw refusal;
    if (failure)
      throw new NoRepeat(`jobs may be in the queue that no request counts: ${redisReason(failure)}`);
    // all jobs have the same priority and so the same script of BullMQ
    if (refusal?.message.startsWith('NOSCRIPT')) throw new LostScripts(refusal.message);
    transaction.result = { reply, refused, refusal };
    return entries.map(({ jobId }) => jobId);
  }
}

export class JobAdder {
  readonly #queue: Queue;
  readonly #backend: Backend | undefined;

  constructor(redis: Redis, prefix: string, name: string) {
    const { queue, backend } = ownQueue(redis, prefix, name, Backend);
    this.#queue = queue;
    this.#backend = backend;
  }

  set telemetry(telemetry: Telemetry) {
    this.#queue.opts.telemetry = telemetry;
  }

  /** Adds jobs that belong to no request. After a failure some of them may be in the queue. */
  async add(jobs: readonly JobData[], priority: Priority): Promise<void> {
    const opts = producerJobOptions(priority);
    await this.#queue.addBulk(jobs.map(data => ({ name: JOB_NAME, data, opts })));
  }

  /**
   * Adds jobs and runs a script after them, in one step. Only the script can tell which of the jobs are there: Redis undoes
   * nothing when a command of a transaction fails.
   * @throws LostScripts, or Redis' error: nothing was added, and the script changed nothing · NoRepeat: the script changed nothing,
   *   and the words say whether jobs may be in the queue · Any other error: all of the transaction ran or nothing of it
   */
  async addWith(jobs: readonly NewJob[], priority: Priority, call: ScriptCall): Promise<Added> {
    if (!this.#backend) throw new OtherBullmq('nothing was enqueued');
    const { transactions } = this.#backend;
    const first = jobs[0]?.id ?? '';
    const transaction: Transaction = { call };
    transactions.set(first, transaction);
    const opts = producerJobOptions(priority);
    try {
      await this.#queue.addBulk(
        jobs.map(({ id, data }) => ({ name: JOB_NAME, data, opts: { ...opts, jobId: id } })),
      );
      if (!transaction.result) throw new OtherBullmq(`${jobs.length} jobs may be in the queue uncounted`);
      return transaction.result;
    } finally {
      transactions.delete(first);
    }
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
