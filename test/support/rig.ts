/**
 * A whole installation for a test: real Redis, the simulator in this process, worker processes of the built package.
 * Whatever a test starts through it is ended after the test; a process that does not end, or a scripted fault that no
 * call has met, fails the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { JobData, Pair } from '../../src/shared/contract/association.js';
import { accountKeys, JOB_NAME, queueName } from '../../src/shared/contract/keys.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { eventually } from './eventually.js';
import { contactsToCompanies } from './samples.js';

export const TOKEN = 'pat-test-5f0c2f1e-secret';
export type WorkerProcess = {
  readonly process: ChildProcess;
  /** everything it has printed so far */
  output(): string;
  /** sends the signal and waits for the end; @returns exit code, or the signal that ended it */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
};

/** How workers move jobs (src/bullmq/README.md); in the public way they run with a release of BullMQ that is unknown. */
export const WAYS = ['bulk', 'public'] as const;
export type WayName = (typeof WAYS)[number];

export type RigOptions = {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly simulator?: Parameters<typeof startSimulator>[0];
  readonly env?: Readonly<Record<string, string>>;
  /** of its workers; TEST_WAY says it for all tests that do not */
  readonly way?: WayName;
};

export class Rig {
  readonly #workers: WorkerProcess[] = [];
  readonly keys;

  private constructor(
    readonly options: RigOptions,
    readonly simulator: Simulator,
    readonly queue: Queue,
    readonly redis: Redis,
  ) {
    this.keys = accountKeys(options.prefix);
  }

  static async start(options: RigOptions): Promise<Rig> {
    const simulator = await startSimulator({ rateLimitCalls: 0, accessToken: TOKEN, ...options.simulator });
    const redis = new Redis(options.redisUrl, { maxRetriesPerRequest: null });
    redis.on('error', () => {}); // tests kill Redis
    const queue = new Queue(queueName(), { connection: redis, prefix: options.prefix });
    queue.on('error', () => {});
    return new Rig(options, simulator, queue, redis);
  }

  startWorker(env: Readonly<Record<string, string>> = {}): WorkerProcess {
    const way = this.options.way ?? process.env.TEST_WAY;
    const release = way === 'public' ? ['--import', './test/support/unknown-bullmq.mjs'] : [];
    const child = spawn(process.execPath, [...release, 'dist/cli.js', 'worker'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        REDIS_URL: this.options.redisUrl,
        QUEUE_PREFIX: this.options.prefix,
        HUBSPOT_BASE_URL: this.simulator.url,
        HUBSPOT_ACCESS_TOKEN: TOKEN,
        METRICS_PORT: '0',
        RATE_LIMIT_CALLS: '100000',
        JOB_LOCK_MS: '2000',
        RETRY_BACKOFF_MS: '50',
        ...this.options.env,
        ...env,
      },
    });
    let output = '';
    child.stdout.on('data', chunk => {
      output += chunk;
    });
    child.stderr.on('data', chunk => {
      output += chunk;
    });
    const exited = once(child, 'exit');
    const worker: WorkerProcess = {
      process: child,
      output: () => output,
      async end(signal) {
        // a process that is still loading has no handler yet: it would die of the signal, and rightly
        if (signal === 'SIGTERM')
          await eventually(() => expect(output.includes('"event":"started"') || hasEnded(child)).toBe(true));
        if (!hasEnded(child)) child.kill(signal);
        const [code, by] = (await exited) as [number | null, NodeJS.Signals | null];
        return code ?? by;
      },
    };
    this.#workers.push(worker);
    return worker;
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

  async stop(): Promise<void> {
    const ends = await Promise.all(this.#workers.map(worker => worker.end('SIGTERM')));
    await this.queue.close();
    this.redis.disconnect();
    await this.simulator.stop();
    const bad = ends.filter(end => end !== 0 && end !== 'SIGKILL');
    if (bad.length > 0)
      throw new Error(
        `a worker ended with ${bad.join(', ')}:\n${this.#workers.map(worker => worker.output()).join('\n')}`,
      );
    this.simulator.assertNoPendingFaults();
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;
