/**
 * Requests of more than one job: all jobs of one in a transaction of BullMQ's FlowProducer. It does not say when Redis
 * refuses them, so that is found out here.
 */
import { FlowProducer, type QueueBaseOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { bullmqKeys, producerJobOptions } from '../../bullmq/layout.js';
import type { JobData } from '../../shared/contract/association.js';
import { JOB_NAME, type Keys, type Priority, queueName } from '../../shared/contract/keys.js';
import { jobId } from './id.js';

export class ManyJobs {
  readonly #flow: FlowProducer;

  /** @param deadlineMs after that its caller has an answer, and nothing more is tried */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly options: Omit<QueueBaseOptions, 'connection'> & { readonly prefix: string },
    private readonly deadlineMs: number,
  ) {
    this.#flow = this.#newFlow(redis);
  }

  /** All of them or none; those that are there already stay as they are. @param id of the request */
  async add(id: string, jobs: readonly JobData[], priority: Priority): Promise<void> {
    const since = performance.now();
    if (await this.#addAll(this.#flow, id, jobs, priority)) return;
    // FlowProducer keeps to itself why not.
    await this.tryToWrite();
    // Redis takes writes: then it has forgotten its scripts (SCRIPT FLUSH), which ioredis does not notice in a transaction.
    // On a new connection it sends them, and after that they are there for the old one, too.
    const connection = this.redis.duplicate();
    const flow = this.#newFlow(connection);
    try {
      await connection.connect();
      // its caller has an answer by then
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
    // each call says itself what went wrong
    connection.on('error', () => {});
    flow.on('error', () => {});
    return flow;
  }

  /** In one transaction. @returns false when Redis took none of them */
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
    const [there, counts] = await Promise.all([
      this.redis.exists(bullmqKeys(this.keys).jobs + jobId(id, 0)),
      this.redis.hmget(this.keys.requests + id, 'created', 'rejected'),
    ]);
    return there === 1 || counts.some(count => Number(count) !== 0);
  }

  /** Changes nothing, and is refused where every write is (OOM, READONLY). */
  async tryToWrite(): Promise<void> {
    await this.redis.set(`${this.keys.requests}write-probe`, '', 'XX');
  }

  async close(): Promise<void> {
    await this.#flow.close();
  }
}
