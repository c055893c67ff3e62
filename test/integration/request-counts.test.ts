/** How settlements count into the record of a request: its end, its reasons, the list, and what retention leaves. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { JobData } from '../../src/shared/contract/association.js';
import { UnknownRequestError } from '../../src/shared/contract/errors.js';
import { accountKeys, type Keys } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { RequestReader } from '../../src/shared/state/requests.js';
import { Ledger, type LedgerEntry } from '../../src/worker/jobs/ledger.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { CONTACT_TO_COMPANY } from '../support/samples.js';
import { pairsOf, settleIn } from '../support/worker-samples.js';

const test = useRedis(import.meta.url);
const { redis } = test;
let keys: Keys;
let ledger: Ledger;
let reader: RequestReader;
beforeEach(() => {
  keys = accountKeys(test.newPrefix());
  ledger = new Ledger(redis, keys, createLogger('silent', 'test'));
  reader = new RequestReader(redis, keys);
});

/** A listed request, everything of which is enqueued. */
async function open(id: string, accepted: number, more: Record<string, string | number> = {}): Promise<void> {
  const enqueuedAt = Date.now();
  await redis.hset(keys.requests + id, { accepted, jobs: 1, enqueuedAt, via: 'file', keep: 600, ...more });
  await redis.zadd(keys.requestList, enqueuedAt, id);
}
async function job(jobId: string): Promise<void> {
  await redis.hset(bullmqKeys(keys).jobs + jobId, 'data', '{}', 'ats', 1);
  await redis.set(`${bullmqKeys(keys).jobs}${jobId}:lock`, 'mine');
}
const settle = async (jobId: string, more: Partial<LedgerEntry>) => {
  await job(jobId);
  return settleIn(ledger, { jobId, token: 'mine', requestId: 'r', ...more });
};
const rejection = (message: string, ...ids: string[]) => ({
  error: {
    at: '2026-11-27T00:00:00.000Z',
    attempt: 1,
    category: 'OBJECT_NOT_FOUND',
    message,
    pairs: ids.length,
  },
  pairs: ids.map((id): [string, string] => [id, '9']),
});
const data = (rejected: NonNullable<JobData['rejected']>, queued = 0): JobData => ({
  ...{ version: 1, fromObjectType: 'contacts', toObjectType: 'companies', types: [CONTACT_TO_COMPANY] },
  ...{ pairs: pairsOf(queued), rejected },
});
const reasons = async (id = 'r') =>
  (await reader.read(id))?.rejections.map(({ message, count }) => [message, count]);

describe('the end of a request', () => {
  it('comes with its last outcome; it leaves the open ones, is announced and kept for its retention', async () => {
    await open('r', 5);
    await settle('1', { created: 3 });
    expect(await reader.read('r')).toMatchObject({ state: 'open', created: 3, queued: 2 });
    await settle('2', { created: 1, rejected: 1, data: data([rejection('No 1', '1')]) });
    expect(await reader.read('r')).toMatchObject({ state: 'done', created: 4, rejected: 1, queued: 0 });
    expect(await redis.zrange(keys.requestsEnded, '0', '-1')).toEqual(['r']);
    expect(await redis.zrange(keys.requestsToAnnounce, '0', '-1')).toEqual(['r']);
    expect(await redis.ttl(`${keys.requests}r`)).toBeGreaterThan(590);
    expect(await redis.ttl(`${keys.requests}r`)).toBeLessThanOrEqual(600);
  });

  it('does not come while its process still enqueues', async () => {
    await open('r', 3, { enqueueing: Date.now() + 60_000 });
    await settle('1', { created: 3 });
    expect(await reader.read('r')).toMatchObject({ state: 'enqueueing', created: 3, queued: 0 });
  });

  it('is taken back when its rejections are retried, and comes again', async () => {
    await open('r', 3);
    const rejected = [rejection('No 1', '1', '2'), rejection('Bad 3', '3')];
    await settle('1', { rejected: 3, data: data(rejected) });
    expect(await reasons()).toEqual([
      ['No …', 2],
      ['Bad …', 1],
    ]);
    await settle('1', { rejected: -3, data: data([], 3), rejectedBefore: rejected });
    expect([await reasons(), await reader.read('r')]).toMatchObject([[], { state: 'open', rejected: 0 }]);
    expect(await redis.zcard(keys.requestsEnded)).toBe(0);
    expect(await redis.zcard(keys.requestsToAnnounce)).toBe(0);
    await settle('1', { created: 2, rejected: 1, data: data([rejection('Bad 3', '3')]) });
    expect([await reasons(), await reader.read('r')]).toMatchObject([[['Bad …', 1]], { state: 'done' }]);
  });

  it('comes, and everything is counted once, where the user of Redis may publish on no channel', async () => {
    const username = test.prefix;
    await redis.acl('SETUSER', username, 'on', '>secret', '~*', 'resetchannels', '+@all');
    const limited = new Redis(test.url, { username, password: 'secret' });
    try {
      ledger = new Ledger(limited, keys, createLogger('silent', 'test'));
      await open('r', 3);
      expect(await settle('1', { created: 2, rejected: 1, data: data([rejection('No 1', '1')]) })).toBe(true);
      expect(await reader.read('r')).toMatchObject({ state: 'done', created: 2, rejected: 1, queued: 0 });
      expect(await redis.hgetall(keys.counters)).toMatchObject({ created: '2', rejected: '1' });
    } finally {
      limited.disconnect();
      await redis.acl('DELUSER', username);
    }
  });

  it('leaves no key behind when the retention is over', async () => {
    await open('r', 1, { keep: 1, fileHash: 'h' });
    await redis.set(`${keys.requestFile}h`, 'r');
    await settle('1', { rejected: 1, data: data([rejection('No', '1')]) });
    await eventually(async () => expect(await redis.keys(`${keys.queue}:associations:request*`)).toEqual([]));
  });

  it('of more than ten thousand leaves out of the list those that ended first', async () => {
    const older = Array.from({ length: 10_000 }, (_, at) => [at, `old-${at}`]).flat();
    await redis.zadd(keys.requestList, ...older);
    await redis.zadd(keys.requestsEnded, ...older);
    const filled = redis.pipeline();
    for (let at = 0; at < 10; at++) filled.hset(`${keys.requests}old-${at}`, 'accepted', 1);
    await filled.exec();
    await open('r', 1);
    await settle('1', { created: 1 });
    expect(await redis.zcard(keys.requestsEnded)).toBeLessThanOrEqual(10_000);
    expect(await redis.zscore(keys.requestList, 'old-0')).toBeNull();
    expect(await redis.zscore(keys.requestsEnded, 'r')).not.toBeNull();
    expect(await redis.exists(`${keys.requests}old-0`)).toBe(1);
  });
});

describe('the reasons of a request', () => {
  it('are counted over all its jobs', async () => {
    await open('r', 9);
    await settle('1', { rejected: 2, data: data([rejection('No 1', '1'), rejection('No 2', '2')]) });
    await settle('2', { rejected: 1, data: data([rejection('No 7', '7')], 1) });
    expect(await reasons()).toEqual([['No …', 3]]);
  });

  it('are at most a hundred; all others share one, also when they are taken back', async () => {
    await open('r', 500);
    const words = Array.from({ length: 120 }, (_, at) =>
      rejection(`${String.fromCharCode(97 + (at % 26))}${'x'.repeat(at)}`, `${at}`),
    );
    await settle('1', { rejected: 120, data: data(words) });
    const found = await reasons();
    expect(found).toHaveLength(101);
    expect(found?.[0]).toEqual(['various other errors', 20]);
    await settle('1', { rejected: -120, data: data([], 120), rejectedBefore: words });
    expect(await reasons()).toEqual([]);
  });
});

describe('hostile records', () => {
  it('harm no settlement', async () => {
    await redis.set(`${keys.requests}r`, 'a string');
    expect(await settle('1', { created: 3 })).toBe(true);
    await redis.del(`${keys.requests}r`);
    await open('r', 3);
    for (const key of [
      keys.requestList,
      keys.requestsEnded,
      keys.requestsToAnnounce,
      `${keys.requests}r:reasons`,
    ]) {
      await redis.del(key);
      await redis.set(key, 'a string');
    }
    expect(await settle('2', { created: 2, rejected: 1, data: data([rejection('No', '1')]) })).toBe(true);
    await redis.del(`${keys.requests}r:reasons`);
    expect(await reader.read('r')).toMatchObject({ state: 'done', created: 2, rejected: 1 });
  });

  it('and rates that promise no end harm no list: times that no date can say are left out', async () => {
    const late = '9000000000000000';
    await open('odd', 1, { enqueuedAt: late, firstAt: late, lastAt: late, doneAt: late, cancelledAt: late });
    await open('slow', 5_000_000, { created: 2, firstAt: 1, lastAt: 90 * 86_400_000 });
    const { requests } = await reader.list();
    expect(requests.map(({ id }) => id).sort()).toEqual(['odd', 'slow']);
    for (const each of requests) {
      expect(each).toMatchObject({ state: 'open' });
      for (const field of ['doneAt', 'doneAbout']) expect(each).not.toHaveProperty(field);
    }
  });
});

describe('the list of requests', () => {
  it('has the newest first, page by page, and only those asked for', async () => {
    for (let at = 0; at < 7; at++) {
      const owner = at % 2 ? 'one' : 'two';
      const id = `r${at}`;
      const done = at < 3 ? { doneAt: 5 } : {};
      await redis.hset(keys.requests + id, { accepted: 1, enqueuedAt: at, owner, ...done });
      await redis.zadd(keys.requestList, at, id);
    }
    await redis.zadd(keys.requestList, 99, 'expired');
    const ids = async (query: Parameters<RequestReader['list']>[0]) => {
      const { requests, after } = await reader.list(query);
      return [requests.map(({ id }) => id), after];
    };
    expect(await ids({ limit: 3 })).toEqual([['r6', 'r5', 'r4'], 'r4']);
    expect(await ids({ limit: 3, after: 'r4' })).toEqual([['r3', 'r2', 'r1'], 'r1']);
    expect(await ids({ limit: 3, after: 'r1' })).toEqual([['r0'], undefined]);
    expect(await ids({ state: 'done' })).toEqual([['r2', 'r1', 'r0'], undefined]);
    expect(await ids({ owner: 'one', limit: 2 })).toEqual([['r5', 'r3'], 'r3']);
    // an empty page would look like the last one
    await expect(ids({ after: 'unknown' })).rejects.toBeInstanceOf(UnknownRequestError);
    await redis.zrem(keys.requestList, 'r4');
    expect(await ids({ limit: 3, after: 'r4' })).toEqual([['r3', 'r2', 'r1'], 'r1']);
  });
});
