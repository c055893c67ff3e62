/**
 * Enqueues requests of more than one job: all jobs in one transaction of BullMQ's FlowProducer. FlowProducer does not report
 * that Redis refused them, so this file checks it.
 */
import { FlowProducer, type QueueBaseOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { bullmqKeys, producerJobOptions } from '../../bullmq/layout.js';
import type { JobData } from '../../shared/contract/association.js';
import { JOB_NAME, type Keys, type Priority, queueName } from '../../shared/contract/keys.js';
import { writeRefusal } from '../../shared/runtime/write-probe.js';
import { jobId } from './id.js';

/** Redis refuses every write, in its words. */
export class WritesRefused extends Error {}

export class ManyJobs {
  readonly #flow: FlowProducer;

  /** @param deadlineMs after this time the caller has an answer, and nothing more is tried */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly options: Omit<QueueBaseOptions, 'connection'> & { readonly prefix: string },
    private readonly deadlineMs: number,
  ) {
    this.#flow = this.#newFlow(redis);
  }

  /**
   * Adds all jobs or none; existing jobs stay unchanged. What a cancel removes meanwhile is not added again.
   * @param id id of the request
   */
  async add(id: string, jobs: readonly JobData[], priority: Priority): Promise<void> {
    const since = performance.now();
    if (await this.#addAll(this.#flow, id, jobs, priority)) return;
    // FlowProducer does not report the reason.
    await this.tryToWrite();
    // Redis accepts writes, so it has lost its scripts (SCRIPT FLUSH), which ioredis does not notice in a transaction. On a
    // new connection ioredis sends them, and then the old connection can use them as well.
    const connection = this.redis.duplicate();
    const flow = this.#newFlow(connection);
    try {
      await connection.connect();
      // the caller has an answer by then
      const isLate = performance.now() - since > this.deadlineMs;
      if (isLate || !(await this.#addAll(flow, id, jobs, priority)))
        throw new Error('it did not take the jobs');
    } finally {
      connection.disconnect();
      await flow.close();
    }
  }

  #newFlow(connection: Redis): FlowProducer {
    const flow = new FlowProducer({ ...this.options, connection });
    // each call reports its own error
    connection.on('error', () => {});
    flow.on('error', () => {});
    return flow;
  }

  /** Adds the jobs in one transaction. @returns false if Redis accepted none */
  async #addAll(
    flow: FlowProducer,
    id: string,
    jobs: readonly JobData[],
    priority: Priority,
  ): Promise<boolean> {
    const { prefix } = this.options;
    await flow.addBulk(
      jobs.map((data, index) => ({
        name: JOB_NAME,
        queueName: queueName(),
        prefix,
        data: { ...data, requestId: id },
        opts: { jobId: jobId(id, index), ...producerJobOptions(priority) },
      })),
    );
    const [there, signs] = await Promise.all([
      this.redis.exists(bullmqKeys(this.keys).jobs + jobId(id, 0)),
      // a worker has settled some of it, or somebody has cancelled the request: the jobs may be gone
      this.redis.hmget(this.keys.requests + id, 'created', 'rejected', 'cancelledAt'),
    ]);
    return there === 1 || signs.some(sign => Number(sign) !== 0);
  }

  /** @throws WritesRefused if Redis accepts no writes */
  async tryToWrite(): Promise<void> {
    const reason = await writeRefusal(this.redis, this.keys);
    if (reason !== '') throw new WritesRefused(reason);
  }

  async close(): Promise<void> {
    await this.#flow.close();
  }
}
