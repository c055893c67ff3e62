/**
 * Rejections that are retried: they count as queued again in the step that puts their job back, whoever dies meanwhile, and once,
 * whoever retries them and however often.
 */
import { execFile } from 'node:child_process';
import { describe, expect, it, jest } from '@jest/globals';
import { type Job, RedisQueueBackend } from 'bullmq';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { withQueue } from '../../src/dashboard/connection.js';
import { type FailedJob, readJobs } from '../../src/dashboard/failures/failed-jobs.js';
import { retryFailures } from '../../src/dashboard/failures/failures.js';
import { Retries } from '../../src/dashboard/failures/retry.js';
import type { JobData, Pair, Rejected } from '../../src/shared/contract/association.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { RequestReader } from '../../src/shared/state/requests.js';
import { startCommand } from '../support/process.js';
import { enqueueRequests, requestOf } from '../support/requests.js';
import { useRig, WAYS } from '../support/rig.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const access = <T>(use: Parameters<typeof withQueue<T>>[1]): Promise<T> =>
  withQueue(parseConfig(rig.place), use);
const retry = () => access(each => retryFailures(each, { request: 'r' }));
const request = () => new RequestReader(rig.redis, rig.keys).read('r');
const bullmq = () => bullmqKeys(rig.keys);

/** HubSpot knows none of these contacts. */
const unknown = (count: number): Pair[] =>
  Array.from({ length: count }, (_, at): Pair => [String(900_000_001 + at), '7']);
const ids = (pairs: readonly Pair[]) => pairs.map(([from]) => from);
const accept = () => rig.simulator.setOptions({ missing: [] });

/** Exit code and output of a command that has ended. */
const run = (...args: string[]): Promise<[number, string]> =>
  new Promise(resolve => {
    const env = { PATH: process.env.PATH, ...rig.place };
    execFile(process.execPath, ['dist/cli.js', ...args], { env }, (error, stdout, stderr) =>
      resolve([typeof error?.code === 'number' ? error.code : 0, stdout + stderr]),
    );
  });

describe('requests retry', () => {
  const REJECTED = 2_000;

  /** Each rejected association is in a job of its own. @returns how many wait */
  async function exactly(): Promise<number> {
    const replies = await rig.redis
      .multi()
      .hmget(`${rig.keys.requests}r`, 'rejected', 'created', 'doneAt')
      .llen(bullmq().wait)
      .zcard(bullmq().failed)
      .hget(rig.keys.counters, 'rejected')
      .zcard(rig.keys.requestsEnded)
      .exec();
    const [[rejected, created, doneAt] = [], wait, failed, total, ended] = (replies ?? []).map(
      ([, reply]) => reply,
    ) as [string[], number, number, string, number];
    expect({ wait, failed }).toEqual({ wait: REJECTED - Number(rejected), failed: Number(rejected) });
    expect([Number(created), Number(total)]).toEqual([20, failed]);
    expect([typeof doneAt, ended]).toEqual(wait === 0 ? ['string', 1] : ['object', 0]);
    return wait;
  }

  it('counts each job in the step that puts it back, also if it is killed; a wait sees it, a cancel finds it', async () => {
    const bad = unknown(REJECTED);
    await rig.start({ simulator: { missing: ids(bad) } });
    await enqueueRequests(rig, [requestOf('r', [...goodPairs(20), ...bad])], 1);
    const worker = rig.startWorker();
    await rig.drained();
    await worker.end();
    expect(await exactly()).toBe(0);

    const killed = startCommand('requests', rig.place, [], ['retry', 'r']);
    while ((await exactly()) === 0 && killed.process.exitCode === null);
    killed.process.kill('SIGKILL');
    await killed.exit();
    await exactly();
    expect((await run('requests', 'wait', 'r', '--timeout', '1'))[0]).toBe(3);

    const [code, output] = await run('requests', 'retry', 'r');
    expect([code, output]).toEqual([0, expect.not.stringContaining('more of the request')]);
    expect(await exactly()).toBe(REJECTED);
    expect(await run('requests', 'cancel', 'r')).toEqual([0, `cancelled ${REJECTED}, already decided 20\n`]);
    expect(await request()).toMatchObject({
      ...{ state: 'cancelled', doneAt: expect.any(String), rejections: [] },
      ...{ created: 20, rejected: 0, cancelled: REJECTED, queued: 0 },
    });
  });
});

describe.each(WAYS)('rejections that a worker decides again in the %s way', way => {
  it('count once, whoever retries them and however often', async () => {
    const bad = unknown(4);
    await rig.start({ way, simulator: { missing: ids(bad) } });
    await enqueueRequests(rig, [requestOf('r', [...bad, ...goodPairs(2)])], 3);
    rig.startWorker();
    const rejected = { state: 'done', created: 2, rejected: 4, queued: 0, rejections: [{ count: 4 }] };
    const queued = { state: 'open', created: 2, rejected: 0, queued: 4, rejections: [] };
    const decided = async () => {
      await rig.queue.resume();
      await rig.drained();
    };
    await decided();
    expect(await request()).toMatchObject(rejected);

    await rig.queue.pause();
    expect(await retry()).toEqual({ jobs: 2, associations: 4, alongside: 0, gone: 0 });
    expect([await request(), await rig.totals()]).toMatchObject([queued, { created: 2, rejected: 0 }]);
    expect(await rig.redis.exists(rig.keys.rejections, rig.keys.rejectedJobs)).toBe(0);
    expect(await retry()).toEqual({ jobs: 0, associations: 0, alongside: 0, gone: 0 });
    expect(await request()).toMatchObject(queued);
    await decided();
    expect([await request(), await rig.totals()]).toMatchObject([rejected, { created: 2, rejected: 4 }]);

    // another client says nothing to the record; the worker does, when it has the jobs
    await rig.queue.pause();
    for (const job of await rig.queue.getFailed()) await job.retry();
    expect(await request()).toMatchObject(rejected);
    await decided();
    expect([await request(), await rig.totals()]).toMatchObject([rejected, { created: 2, rejected: 4 }]);
    expect(await rig.redis.zrange(rig.keys.rejections, '0', '-1', 'WITHSCORES')).toEqual([
      expect.any(String),
      '4',
    ]);

    accept();
    await retry();
    await rig.drained();
    expect([await request(), await rig.totals()]).toMatchObject([
      { state: 'done', created: 6, rejected: 0, queued: 0, rejections: [] },
      { created: 6, rejected: 0 },
    ]);
  });
});

describe('a job that is put back', () => {
  const rejection = (...pairs: Pair[]): Rejected => ({
    error: { at: '2026-03-01T12:00:00.000Z', attempt: 1, category: 'C', message: 'no', pairs: pairs.length },
    pairs,
  });
  const dataWith = (...pairs: Pair[]): JobData => ({
    ...{ ...contactsToCompanies, requestId: 'r', pairs: [], rejected: [rejection(...pairs)] },
  });
  const [A, B]: [Pair, Pair] = [
    ['1', '2'],
    ['3', '4'],
  ];

  /** Jobs of the request r that have failed: each with A and B rejected. */
  async function failed(...jobIds: string[]): Promise<FailedJob[]> {
    const { redis, keys } = rig;
    const { jobs, wait, failed: deadLetters } = bullmq();
    const rejected = 2 * jobIds.length;
    const counts = {
      accepted: rejected,
      rejected,
      jobs: jobIds.length,
      doneAt: 5,
      enqueuedAt: 1,
      via: 'file',
    };
    await redis.hset(`${keys.requests}r`, counts);
    await redis.hset(keys.counters, 'rejected', rejected);
    for (const jobId of jobIds) {
      await rig.queue.add('associate', dataWith(A, B), { jobId });
      await redis.lrem(wait, 0, jobId);
      await redis.hset(jobs + jobId, { finishedOn: 5, failedReason: 'no' });
      await redis.zadd(deadLetters, 5, jobId);
    }
    return access(each => readJobs(each, jobIds));
  }
  const retrying = <T>(use: (retries: Retries) => Promise<T>): Promise<T> =>
    access(async each => {
      const retries = new Retries(each);
      try {
        return await use(retries);
      } finally {
        await retries.close();
      }
    });
  const pairsOf = async (jobId: string) => (await rig.queue.getJob(jobId))?.data.pairs;
  const counts = async () => [
    (await request())?.queued,
    Number(await rig.redis.hget(rig.keys.counters, 'rejected')),
  ];

  it('is counted as it is now if somebody has discarded some of it since it was read', async () => {
    await rig.start();
    const [job] = (await failed('r-0')) as [FailedJob];
    await rig.redis.hset(`${bullmq().jobs}r-0`, 'data', JSON.stringify(dataWith(B)));
    expect(await retrying(each => each.retry(job))).toBe(true);
    expect([await pairsOf('r-0'), await counts()]).toEqual([[B], [1, 1]]);
  });

  it('is left to the worker that has it already, because another client has retried it', async () => {
    await rig.start();
    const [job] = (await failed('r-0')) as [FailedJob];
    await (await rig.queue.getJob('r-0'))?.retry();
    await rig.redis.set(`${bullmq().jobs}r-0:lock`, 'a worker');
    expect(await retrying(each => each.retry(job))).toBe(false);
    expect([await pairsOf('r-0'), await counts()]).toEqual([[], [0, 2]]);
  });

  it('is counted although Redis has lost its scripts', async () => {
    await rig.start({ ownRedis: true });
    const [one, other] = (await failed('r-0', 'r-1')) as [FailedJob, FailedJob];
    await retrying(async each => {
      expect(await each.retry(one)).toBe(true);
      await rig.redis.script('FLUSH');
      expect(await each.retry(other)).toBe(true);
    });
    expect([await pairsOf('r-1'), await counts()]).toEqual([
      [A, B],
      [4, 0],
    ]);
  });

  it('is counted although Redis is full', async () => {
    await rig.start({ ownRedis: true });
    const [job] = (await failed('r-0')) as [FailedJob];
    await rig.redis.config('SET', 'maxmemory', '1');
    try {
      expect(await retrying(each => each.retry(job))).toBe(true);
    } finally {
      await rig.redis.config('SET', 'maxmemory', '0');
    }
    expect([await pairsOf('r-0'), await counts()]).toEqual([
      [A, B],
      [2, 0],
    ]);
  });

  it('is counted right after its move by a BullMQ that executes its commands in another way', async () => {
    await rig.start();
    const [job] = (await failed('r-0')) as [FailedJob];
    const { jobs, wait, failed: deadLetters } = bullmq();
    const moving = jest
      .spyOn(RedisQueueBackend.prototype, 'retryFinishedJob')
      .mockImplementation(async given => {
        const { id = '' } = given as Pick<Job, 'id'>;
        await rig.redis
          .multi()
          .zrem(deadLetters, id)
          .hdel(jobs + id, 'finishedOn')
          .lpush(wait, id)
          .exec();
      });
    try {
      expect(await retrying(each => each.retry(job))).toBe(true);
      expect(moving).toHaveBeenCalledTimes(1);
    } finally {
      moving.mockRestore();
    }
    expect([await pairsOf('r-0'), await counts()]).toEqual([
      [A, B],
      [2, 0],
    ]);
  });
});
