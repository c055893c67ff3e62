/** A separate queue in the real Redis, and worker processes on it. */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { JobData } from '../../src/shared/contract/association.js';
import { accountKeys, JOB_NAME, queueName } from '../../src/shared/contract/keys.js';
import { newPrefix, removeKeys } from './keys.js';
import { CLI } from './paths.js';
import { type Env, type Started, start } from './processes.js';
import type { Options } from './row.js';
import { until } from './until.js';

const JOBS_PER_BULK = 1_000;

export class Installation {
  /** QUEUE_PREFIX, so that nothing else in this Redis is touched */
  readonly prefix = newPrefix();
  readonly redis: Redis;
  readonly queue: Queue;
  readonly #options: Options;
  readonly #workers: Started[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.redis = new Redis(options.redisUrl, { maxRetriesPerRequest: null });
    this.queue = new Queue(queueName(), { connection: this.redis, prefix: this.prefix });
  }

  /** Worker processes of the built package. @param env in addition to the settings of every measurement */
  async startWorkers(hubspotUrl: string, env: Env = {}, replicas = 1): Promise<readonly Started[]> {
    const { redisUrl, profileDir } = this.#options;
    const settings = {
      REDIS_URL: redisUrl,
      QUEUE_PREFIX: this.prefix,
      HUBSPOT_BASE_URL: hubspotUrl,
      HUBSPOT_ACCESS_TOKEN: 'pat-bench',
      RATE_LIMIT_CALLS: '1000000',
      DAILY_CALL_LIMIT: '0',
      METRICS_PORT: '0',
      ...env,
    };
    const profile = profileDir ? ['--cpu-prof', '--cpu-prof-dir', profileDir] : [];
    const started = await Promise.all(
      Array.from({ length: replicas }, () => start([...profile, CLI, 'worker'], settings, /"started"/)),
    );
    this.#workers.push(...started);
    return started;
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map(worker => worker.stop()));
  }

  /** Adds jobs unchanged. */
  async add(jobs: Iterable<JobData>): Promise<void> {
    let bulk: { name: string; data: JobData }[] = [];
    for (const data of jobs) {
      if (bulk.push({ name: JOB_NAME, data }) < JOBS_PER_BULK) continue;
      await this.queue.addBulk(bulk);
      bulk = [];
    }
    if (bulk.length > 0) await this.queue.addBulk(bulk);
  }

  /** Waits until no job is waiting, active or delayed. @throws Error if a job failed and none may */
  drained(mayFail = false): Promise<void> {
    return until('the queue is empty', async () => {
      const { completed: _, failed = 0, ...open } = await this.queue.getJobCounts();
      if (failed > 0 && !mayFail) throw new Error(`${failed} jobs failed: the figures would mean nothing`);
      return Object.values(open).every(count => count === 0);
    });
  }

  /** Waits until this many associations are created. @returns the time, performance.now() */
  async createdReaches(count: number): Promise<number> {
    await until(`${count} are created`, async () => (await this.created()) >= count);
    return performance.now();
  }

  /** Associations created since the queue began, as stats shows them. */
  created = (): Promise<number> => this.#counter('created');
  rejected = (): Promise<number> => this.#counter('rejected');

  async #counter(name: string): Promise<number> {
    return Number((await this.redis.hget(accountKeys(this.prefix).counters, name)) ?? 0);
  }

  /** Deletes everything under the prefix. No worker may run. */
  clear(): Promise<void> {
    return removeKeys(this.redis, this.prefix);
  }

  async usedMemory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await this.redis.info('memory'))?.[1]);
  }

  /** Stops the workers, leaves nothing behind. */
  async end(): Promise<void> {
    try {
      await this.stopWorkers();
    } finally {
      await this.clear();
      await this.queue.close();
      this.redis.disconnect();
    }
  }
}

/** An installation for the time of `use`. */
export async function withInstallation<T>(
  options: Options,
  use: (installation: Installation) => Promise<T>,
): Promise<T> {
  const installation = new Installation(options);
  try {
    return await use(installation);
  } finally {
    await installation.end();
  }
}
