/**
 * A whole installation for a test: real Redis, the simulator in this process, processes of the built package. Whatever a
 * test starts through it is ended after the test; a process that ends otherwise than it should, or a scripted fault that
 * no call has met, fails the test.
 */
import { afterEach, expect } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { JobData, Pair } from '../../src/shared/contract/association.js';
import { accountKeys, JOB_NAME, type Keys, queueName } from '../../src/shared/contract/keys.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { type DashboardProcess, startDashboard } from './dashboard.js';
import { eventually } from './eventually.js';
import { type GatewayProcess, startGateway } from './gateway.js';
import { type CliProcess, startCommand } from './process.js';
import { SharedRedis, type TestRedis, useRedis } from './redis.js';
import { RedisServer } from './redis-server.js';
import { contactsToCompanies } from './samples.js';

export const TOKEN = 'pat-test-5f0c2f1e-secret';

/** How workers move jobs (src/bullmq/README.md); in the public way they run with a release of BullMQ that is unknown. */
export const WAYS = ['bulk', 'public'] as const;
export type WayName = (typeof WAYS)[number];

type Env = Readonly<Record<string, string>>;
export type RigOptions = {
  readonly simulator?: Parameters<typeof startSimulator>[0];
  /** of every worker, beside what the rig sets */
  readonly env?: Env;
  /** a Redis server for this rig alone, which the test may kill */
  readonly ownRedis?: boolean;
  /** of its workers; TEST_WAY says it for all tests */
  readonly way?: WayName;
};
type Parts = {
  readonly server: RedisServer | undefined;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly env: Env;
  readonly isPublicWay: boolean;
  readonly keys: Keys;
  readonly simulator: Simulator;
  readonly queue: Queue;
  readonly redis: Redis;
};

export class Rig {
  readonly #file: TestRedis;
  #parts: Parts | undefined;
  #workers: CliProcess[] = [];
  #others: CliProcess[] = [];

  constructor(file: TestRedis) {
    this.#file = file;
  }

  /** Under a separate key prefix. */
  async start({ simulator, env = {}, ownRedis = false, way }: RigOptions = {}): Promise<void> {
    const server = ownRedis ? await RedisServer.start() : undefined;
    const redisUrl = server?.url ?? this.#file.url;
    const prefix = this.#file.newPrefix();
    const redis = server ? new Redis(redisUrl, { maxRetriesPerRequest: null }) : new SharedRedis(redisUrl);
    redis.on('error', () => {}); // tests kill Redis
    const queue = new Queue(queueName(), { connection: redis, prefix });
    queue.on('error', () => {});
    this.#parts = {
      ...{ server, redisUrl, prefix, env, redis, queue, keys: accountKeys(prefix) },
      isPublicWay: (process.env.TEST_WAY ?? way) === 'public',
      simulator: await startSimulator({ rateLimitCalls: 0, accessToken: TOKEN, ...simulator }),
    };
  }

  /** What a process needs to find this Redis and this queue. */
  get place(): { readonly REDIS_URL: string; readonly QUEUE_PREFIX: string } {
    return { REDIS_URL: this.redisUrl, QUEUE_PREFIX: this.prefix };
  }

  /** What a process needs to call the simulator. */
  get hubspot(): { readonly HUBSPOT_BASE_URL: string; readonly HUBSPOT_ACCESS_TOKEN: string } {
    return { HUBSPOT_BASE_URL: this.simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN };
  }

  startWorker(env: Env = {}): CliProcess {
    const { env: common, isPublicWay } = this.#started;
    const worker = startCommand(
      'worker',
      {
        ...this.place,
        ...this.hubspot,
        METRICS_PORT: '0',
        RATE_LIMIT_CALLS: '100000',
        JOB_LOCK_MS: '2000',
        RETRY_BACKOFF_MS: '50',
        ...common,
        ...env,
      },
      isPublicWay ? ['--import', './test/support/unknown-bullmq.mjs'] : [],
    );
    this.#workers.push(worker);
    return worker;
  }

  /** Resolves when it is ready. */
  async startGateway(env: Env = {}): Promise<GatewayProcess> {
    const gateway = await startGateway({ ...this.place, ...env });
    this.#others.push(gateway);
    return gateway;
  }

  /** Resolves when it is ready. */
  async startDashboard(env: Env = {}): Promise<DashboardProcess> {
    const dashboard = await startDashboard({ ...this.place, ...env });
    this.#others.push(dashboard);
    return dashboard;
  }

  /** Jobs as any BullMQ client would write them. */
  async enqueue(pairs: readonly Pair[], pairsPerJob: number, data: Partial<JobData> = {}): Promise<void> {
    const jobs = [];
    for (let at = 0; at < pairs.length; at += pairsPerJob) {
      const some = pairs.slice(at, at + pairsPerJob);
      jobs.push({ name: JOB_NAME, data: { ...contactsToCompanies, ...data, pairs: some } });
    }
    for (let at = 0; at < jobs.length; at += 1_000) await this.queue.addBulk(jobs.slice(at, at + 1_000));
  }

  /** Waits until nothing is waiting, active or delayed. */
  async drained(deadlineMs = 60_000): Promise<void> {
    await eventually(async () => {
      const counts = await this.queue.getJobCounts();
      const left = Object.entries(counts).filter(
        ([state, count]) => !['completed', 'failed'].includes(state) && count > 0,
      );
      expect(left).toEqual([]);
    }, deadlineMs);
  }

  /** The totals that stats shows. */
  async totals(): Promise<{ created: number; rejected: number; retried: number; calls: number }> {
    const totals = await this.redis.hgetall(this.keys.counters);
    const read = (name: string) => Number(totals[name] ?? 0);
    return {
      created: read('created'),
      rejected: read('rejected'),
      retried: read('retried'),
      calls: read('calls'),
    };
  }

  /** Record pair (`from to`) → HubSpot's words, over all failed jobs. */
  async rejected(): Promise<Map<string, { category: string | undefined; message: string }>> {
    const found = new Map<string, { category: string | undefined; message: string }>();
    for (let from = 0; ; from += 500) {
      const jobs = await this.queue.getFailed(from, from + 499);
      for (const job of jobs)
        for (const { error, pairs } of (job.data as JobData).rejected ?? [])
          for (const [one, other] of pairs)
            found.set(`${one} ${other}`, { category: error.category, message: error.message });
      if (jobs.length < 500) return found;
    }
  }

  /** accepted = created + rejected, exactly, in the totals, in the simulator's ledger and in the failed set. */
  async expectAccounted(
    good: readonly Pair[],
    bad: readonly Pair[],
    fromType = 'contacts',
    toType = 'companies',
  ) {
    const { ledger } = this.simulator;
    const missing = good.filter(([from, to]) => !ledger.has(fromType, toType, from, to));
    expect(missing).toEqual([]);
    expect(ledger.createdCount()).toBe(good.length);
    const rejected = await this.rejected();
    expect([...rejected.keys()].sort()).toEqual(bad.map(([from, to]) => `${from} ${to}`).sort());
    const { created, rejected: rejectedTotal } = await this.totals();
    expect({ created, rejected: rejectedTotal }).toEqual({ created: good.length, rejected: bad.length });
    expect(ledger.duplicates).toBe(0);
    return rejected;
  }

  /** Ends all that was started; does nothing where nothing was. */
  async stop(): Promise<void> {
    const parts = this.#parts;
    if (!parts) return;
    this.#parts = undefined;
    const children = [...this.#others, ...this.#workers];
    [this.#others, this.#workers] = [[], []];
    const ends = await Promise.all(children.map(child => child.end()));
    await parts.queue.close();
    parts.redis.disconnect();
    await parts.simulator.stop();
    await parts.server?.stop();
    const bad = ends.filter(end => end !== 0 && end !== 'SIGKILL');
    if (bad.length > 0)
      throw new Error(
        `a process ended with ${bad.join(', ')}:\n${children.map(child => child.output()).join('\n')}`,
      );
    parts.simulator.assertNoPendingFaults();
  }

  get #started(): Parts {
    if (!this.#parts) throw new Error('the rig has not started: await rig.start() first');
    return this.#parts;
  }
  get redisUrl(): string {
    return this.#started.redisUrl;
  }
  get prefix(): string {
    return this.#started.prefix;
  }
  get keys(): Keys {
    return this.#started.keys;
  }
  get simulator(): Simulator {
    return this.#started.simulator;
  }
  get queue(): Queue {
    return this.#started.queue;
  }
  /** a patient connection of the test's own */
  get redis(): Redis {
    return this.#started.redis;
  }
  /** of a rig with `ownRedis` */
  get server(): RedisServer {
    const { server } = this.#started;
    if (!server) throw new Error('this rig has no Redis of its own');
    return server;
  }
}

/** Call once at the top of a test file. @returns a rig that each test starts, and that stops after each (or `afterAll`) */
export function useRig(fileUrl: string, after: typeof afterEach = afterEach): Rig {
  after(() => rig.stop()); // before useRedis removes the keys
  const rig = new Rig(useRedis(fileUrl));
  return rig;
}
