/**
 * A whole installation for one scenario: Redis, the simulator and the workers, each in a separate process.
 * Stopping the rig stops all of them.
 */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { atEnd } from '../../bench/support/cleanup.js';
import { CLI } from '../../bench/support/paths.js';
import { type Env, type Started, start } from '../../bench/support/processes.js';
import { type Limit, type SimulatorProcess, startSimulatorProcess } from '../../bench/support/simulator.js';
import { until } from '../../bench/support/until.js';
import type { JobData, Pair } from '../../src/shared/contract/association.js';
import { accountKeys, JOB_NAME, queueName } from '../../src/shared/contract/keys.js';
import { RedisServer } from '../../test/support/redis-server.js';
import { type Check, seconds } from './check.js';

export type RigOptions = {
  /** HubSpot's limit, which the workers use as well. Undefined = none */
  readonly limit?: Limit;
  readonly latencyMs?: number;
  /** settings of every worker */
  readonly env?: Env;
};

const TOKEN = 'pat-faults-0a1b2c';
export const OBJECT_PAIR = {
  version: 1 as const,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [{ associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 279 }],
};

export class FaultRig {
  readonly keys = accountKeys('faults');
  readonly #workers: Started[] = [];
  /** number of enqueued associations that HubSpot accepts */
  good = 0;
  bad = 0;

  private constructor(
    readonly options: RigOptions,
    readonly server: RedisServer,
    readonly redis: Redis,
    readonly queue: Queue,
    readonly simulator: SimulatorProcess,
  ) {}

  static async start(options: RigOptions = {}): Promise<FaultRig> {
    const server = await RedisServer.start();
    atEnd(() => server.stop());
    const redis = new Redis(server.url, { maxRetriesPerRequest: null });
    redis.on('error', () => {}); // scenarios kill Redis
    const queue = new Queue(queueName(), { connection: redis, prefix: 'faults' });
    queue.on('error', () => {});
    const simulator = await startSimulatorProcess(options.limit, options.latencyMs);
    return new FaultRig(options, server, redis, queue, simulator);
  }

  /** The settings by which a command uses this installation. */
  get env(): Env {
    const { limit } = this.options;
    return {
      REDIS_URL: this.server.url,
      QUEUE_PREFIX: 'faults',
      HUBSPOT_BASE_URL: this.simulator.url,
      HUBSPOT_ACCESS_TOKEN: TOKEN,
      METRICS_PORT: '0',
      JOB_LOCK_MS: '5000',
      RATE_LIMIT_CALLS: String(limit?.calls ?? 1_000_000),
      ...(limit && { RATE_LIMIT_WINDOW_MS: String(limit.windowMs) }),
      ...this.options.env,
    };
  }

  /** @param until a line of its output that reports that it is up */
  async startWorker(env: Env = {}, isUp = /"event":"started"/): Promise<Started> {
    return this.start(['worker'], env, isUp);
  }

  async start(args: readonly string[], env: Env, isUp: RegExp): Promise<Started> {
    const started = await start([CLI, ...args], { ...this.env, ...env }, isUp);
    this.#workers.push(started);
    return started;
  }

  /** Jobs as any BullMQ client writes them. */
  async enqueue(pairs: readonly Pair[], pairsPerJob = 500, data: Partial<JobData> = {}, options = {}) {
    const jobs = [];
    for (let at = 0; at < pairs.length; at += pairsPerJob) {
      const some = pairs.slice(at, at + pairsPerJob);
      jobs.push({ name: JOB_NAME, data: { ...OBJECT_PAIR, ...data, pairs: some }, opts: options });
    }
    for (let at = 0; at < jobs.length; at += 500) await this.queue.addBulk(jobs.slice(at, at + 500));
    const bad = pairs.filter(isBad).length;
    this.good += pairs.length - bad;
    this.bad += bad;
  }

  /** Waits until no job is waiting, active or delayed. */
  async drains(check: Check, withinMs = 120_000): Promise<void> {
    const since = performance.now();
    const isEmpty = await happens(async () => (await this.openJobs()) === 0, withinMs);
    const value = isEmpty
      ? `after ${seconds(performance.now() - since)}`
      : `${await this.openJobs()} jobs left`;
    check.must('queue is empty', value, isEmpty);
  }

  async openJobs(): Promise<number> {
    const { completed: _c, failed: _f, ...open } = await this.queue.getJobCounts();
    return Object.values(open).reduce((sum, count) => sum + count, 0);
  }

  async counter(name: string): Promise<number> {
    return Number((await this.redis.hget(this.keys.counters, name)) ?? 0);
  }

  /** Record pair (`from to`) → HubSpot's words, over all failed jobs. */
  async rejected(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (let from = 0; ; from += 500) {
      const jobs = await this.queue.getFailed(from, from + 499);
      for (const job of jobs)
        for (const { error, pairs } of (job.data as JobData).rejected ?? [])
          for (const [one, other] of pairs) found.set(`${one} ${other}`, error.message);
      if (jobs.length < 500) return found;
    }
  }

  /** accepted = created + rejected, in the totals, at HubSpot and in the failed set; nothing good is rejected. */
  async ledger(check: Check): Promise<void> {
    const { created, duplicates } = await this.simulator.totals();
    const totals = { created: await this.counter('created'), rejected: await this.counter('rejected') };
    const rejected = await this.rejected();
    const wrongly = [...rejected.keys()].filter(key => !isBad(key.split(' ') as unknown as Pair)).length;
    check.must('created at HubSpot', created, created === this.good);
    check.must(
      'created and rejected in the totals',
      `${totals.created} + ${totals.rejected}`,
      totals.created === this.good && totals.rejected === this.bad,
    );
    check.must('good ones rejected', wrongly, wrongly === 0);
    if (duplicates > 0) check.must('pairs twice in one call', duplicates, false);
  }

  async stop(): Promise<void> {
    for (const { child } of this.#workers) child.kill('SIGKILL');
    await this.queue.close().catch(() => {});
    this.redis.disconnect();
    await this.simulator.stop();
    await this.server.stop();
  }
}

/** Prefixes of record ids that do not exist in the simulator, or that have too many associations. */
const isBad = ([from, to]: Pair): boolean => /^99[89]/.test(from) || /^99[89]/.test(to);

/** `count` different record pairs that HubSpot accepts. */
export const goodPairs = (count: number, first = 100_000_001): Pair[] =>
  Array.from({ length: count }, (_, at): Pair => [String(first + at), String(first + 400_000_000 + at)]);

/** Pairs of records that HubSpot does not know; every `unnamedEvery`-th error names no record. 0 = all name their record */
export const badPairs = (count: number, unnamedEvery = 0): Pair[] =>
  Array.from({ length: count }, (_, at): Pair => {
    const unnamed = unnamedEvery > 0 && at % unnamedEvery === 0;
    return [`${unnamed ? 998 : 999}${100_000_000 + at}`, String(700_000_001 + at)];
  });

/** @returns true if the condition became true within that time */
export async function happens(isSo: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  let holds = false;
  await until('a fact', async () => {
    holds = await isSo();
    return holds || performance.now() > end;
  });
  return holds;
}
