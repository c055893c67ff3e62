/**
 * Every Lua script does all that can fail before its first write: Redis does not take back what a script has written
 * before it fails. Each script runs on good ground, then with each of its keys of a wrong type, with each of its arguments
 * spoilt, with arguments cut off, and on a full Redis that knows no `allow-oom`. Wherever it fails, nothing was written.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { bullmqKeys, finishKeys } from '../../src/bullmq/layout.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { loadScript, scriptSource } from '../../src/shared/runtime/script.js';
import { indexedRejections, rejectionArgs } from '../../src/shared/state/rejection-groups.js';
import { requestKeys } from '../../src/shared/state/requests.js';
import { RedisServer } from '../support/redis-server.js';

const SOURCES = new URL('../../src/', import.meta.url);
const keys = accountKeys('lua');
const { requests, minutes } = keys;
const bull = bullmqKeys(keys);
const { jobs } = bull;
const request = `${requests}r`;
const requestSets = requestKeys(keys);
const reason = [1, 'g', 2, '{"category":"C"}'];
const ids = ['a', 'b', 'c'];
const error = { at: '2026-11-27T00:00:00.000Z', attempt: 1, category: 'C', message: 'bad', pairs: 1 };
const data = (rejected: number) => ({
  ...{ version: 1 as const, fromObjectType: 'contacts', toObjectType: 'companies', types: [], pairs: [] },
  rejected: [{ error, pairs: Array.from({ length: rejected }, (_, at): [string, string] => ['1', `${at}`]) }],
});
const groups = indexedRejections('a', data(2), 0);
const group = keys.rejection + groups[0]?.id;
const bullmq = finishKeys(keys);
const jobKeys = ids.flatMap(id => [jobs + id, `${jobs + id}:lock`]);
const minute = () => minutes + Math.floor(Date.now() / 60_000);
const states = [bull.wait, bull.paused, bull.active, bull.delayed, bull.prioritized];

/** @property more keys that it comes to by itself */
type Ground = { keys: string[]; args: (string | number)[]; more?: string[] };
const NOW = 1_764_000_000_000;
const outbox = JSON.stringify([{ id: 'held-1', kind: 'held', notBefore: 0, at: Date.now() }]);

const GROUNDS: Record<string, Ground> = {
  'worker/jobs/settle.lua': {
    keys: [
      ...[keys.counters, minutes, keys.rejections, keys.rejection, keys.rejectedJobs],
      ...[...requestSets, ...bullmq],
    ],
    args: [
      ...[1000, 'a', 'mine', JSON.stringify(data(2)), 1, 2, 0, 'r', 'b1', 'failed', 'why'],
      ...[...rejectionArgs(groups), ...reason],
      ...['b', 'mine', '', 3, 0, 0, 'r', 'b1', 'completed', '{"created":3}', '', ''],
      ...['c', 'mine', '{"pairs":[]}', 0, 0, 1, '', 'b1', '', '', '', ''],
    ],
    more: [...jobKeys, request, `${request}:reasons`, minute(), group, `${group}:jobs`],
  },
  'worker/jobs/complete.lua': {
    keys: [keys.counters, minutes, ...requestSets, ...bullmq],
    args: [1000, 2, 'mine', 3, 'r', 'b1', 'a', 'b', 1, 'mine', 1, '', 'b2', 'c'],
    more: [...jobKeys, request, minute()],
  },
  'worker/jobs/count.lua': {
    keys: [keys.counters, minutes, keys.batches],
    args: [100, 2, 'calls', 1, 'status:201', 1, 4, 'id', 'x', 'inputs', '2', 2, 'id', 'y'],
    more: [minute()],
  },
  'bullmq/take.lua': {
    keys: [
      ...[bull.wait, bull.active, bull.prioritized, bull.priorityCounter, bull.meta, bull.limiter],
      ...[bull.events, bull.marker],
    ],
    args: [jobs, 'token', 30_000, NOW, 500, 100_000, '', 2 ** 31, 1],
    more: jobKeys,
  },
  'bullmq/weed.lua': {
    keys: [bull.wait, bull.active, bull.prioritized, bull.stalled, bull.delayed],
    args: [jobs, 100, 100, NOW * 4_096],
    more: jobKeys,
  },
  'bullmq/hold-queue.lua': { keys: [bull.limiter], args: [2 ** 31, 60_000] },
  'bullmq/renew-locks.lua': {
    keys: [bull.stalled],
    args: [jobs, 30_000, 'a', 'mine', 'b', 'theirs', 'c', 'mine'],
    more: jobKeys,
  },
  'worker/operators.lua': { keys: [keys.requestsCancelling, bull.meta, keys.paused], args: [1_000] },
  'shared/state/cancel-request.lua': {
    keys: [...requestSets, `${keys.requestCancelLease}r`],
    args: ['r', 'anna@ops', 'token', 5_000, 'list'],
    more: [request, `${request}:reasons`, `${request}:unlisted`],
  },
  'shared/state/lease.lua': { keys: [`${keys.requestListLease}r`], args: ['token', 5_000, 'take'] },
  'shared/state/drop-listed.lua': { keys: [request, `${request}:unlisted`], args: [0, 1, 3] },
  'shared/state/cancel-jobs.lua': {
    keys: [keys.counters, minutes, ...requestSets, bull.wait, ...bullmq],
    args: [
      ...['r', 'list', 'wait'],
      ...['d', 1, '0', 2, 3, '{"cancelled":3}', '', ''],
      ...['e', 0, '0', 2, 1, '{"cancelled":1}', '{"rejected":[]}', 'why'],
      ...['a', 0, '1', 2, 1, '{"cancelled":1}', '', ''],
    ],
    more: [
      ...[...jobKeys, `${jobs}d`, `${jobs}e`, `${jobs}e:lock`, request, `${request}:reasons`],
      ...[`${request}:unlisted`, minute()],
    ],
  },
  'shared/webhooks/take.lua': {
    keys: [
      ...[keys.alerts, keys.alertSamples, keys.hold, keys.counters, bull.meta, keys.workers],
      ...[requests, keys.requestsToAnnounce, ...states],
    ],
    args: ['me', 4_000, 10_000, 5, 1_000],
    more: [request],
  },
  'shared/webhooks/report.lua': {
    keys: [keys.alerts, requests, keys.requestsToAnnounce],
    args: ['held-1', 1, 'me', 'failed', 'r'],
    more: [request],
  },
  'hubspot/reserve.lua': {
    keys: [keys.window, keys.hold, keys.daily, keys.heldPairs, bull.prioritized],
    args: ['permit', 100, 10_000, 100, 1, '2026-11-27', 500_000, 1e6, 35_000, 600_000, 2 ** 33, 60, 60_000],
  },
  'hubspot/give-back.lua': {
    keys: [keys.window, keys.hold, keys.daily],
    args: ['permit', '2026-11-27', 1, 500, 60, 2_000, 60_000],
  },
  'hubspot/hold.lua': { keys: [keys.hold], args: ['unavailable', 'words', 1_000, 600_000, 1, 40] },
  'hubspot/weather.lua': { keys: [keys.weather], args: ['failed', 1, '1 2'] },
  'hubspot/hold-pair.lua': {
    keys: [keys.heldPairs],
    args: ['hold', 1_000, 600_000, 0, 0, 'words', 35_000, 600_000, 86_400, 'contacts/companies'],
  },
  'hubspot/afresh.lua': { keys: [keys.hold, keys.heldPairs], args: [] },
  'hubspot/recover.lua': { keys: [keys.hold], args: [] },
  'gateway/requests/note.lua': {
    keys: [...requestSets, `${keys.idempotency}k`],
    args: ['q', 'print', 3, 1, 1, '[]', 'owner', 'name', 60],
    more: [`${requests}q`],
  },
  'producer/accept.lua': {
    keys: requestSets,
    args: [
      ...['r', 'seq:p:0', '2', jobs, 15_000, 60, 'all', 7, 1, 3, 2, 'via', 'file', 'name', 'x.csv'],
      ...['d', 2, 'e', 1],
    ],
    more: [request, `${request}:reasons`],
  },
  'producer/open-request.lua': {
    keys: requestSets,
    args: ['q', 15_000, 60, 'print', 'new', 'via', 'file', 'name', 'x.csv'],
    more: [`${requests}q`, `${keys.requestFile}print`],
  },
  'labels/share.lua': { keys: [keys.labelCalls], args: ['q', 10, 10_000] },
  'shared/state/sample.lua': { keys: states, args: [jobs, 16, minutes], more: [minute(), `${jobs}d`] },
  'shared/state/report-alive.lua': {
    keys: [`${keys.worker}w`, keys.workers, keys.row, keys.capacity],
    args: ['w', '{"id":"w"}', 10_000, 3_600_000, 6_000, 'keep', 2],
  },
  'worker/place.lua': {
    keys: [keys.row, keys.workers, keys.capacity, bull.wait, bull.prioritized, bull.meta, bull.limiter],
    args: ['w', 6_000, NOW, 2 ** 31],
  },
  'shared/runtime/mark-write.lua': { keys: [keys.replicated], args: [60_000] },
  'shared/runtime/write-probe.lua': { keys: [keys.writeProbe], args: [] },
  'shared/state/queue-state.lua': {
    keys: [
      ...[keys.counters, keys.hold, keys.daily, keys.heldPairs, keys.capacity, keys.window, keys.workers],
      ...[bull.meta, bull.failed, bull.completed, ...states, keys.paused],
    ],
    args: [jobs, 16, 10_000, keys.worker, 500],
    more: jobKeys,
  },
  'dashboard/search/find.lua': {
    keys: [bull.wait],
    args: ['list', jobs, 0, '"1"', '"2"', '"1","2"', '"1"%s*,%s*"2"'],
    more: jobKeys,
  },
  'dashboard/failures/forget.lua': {
    keys: [
      ...[
        bull.failed,
        `${jobs}f`,
        keys.counters,
        keys.rejections,
        keys.rejection,
        keys.rejectedJobs,
        ...requestSets,
      ],
    ],
    args: [
      ...['f', '{"f":1}', '{"f":2}', 1, 2, 'discarded:', '{}', 'r'],
      ...[...rejectionArgs(groups), ...reason],
    ],
    more: [request, `${request}:reasons`, group, `${group}:jobs`],
  },
  'dashboard/failures/reindex.lua': {
    keys: [bull.failed, `${jobs}f`, keys.rejections, keys.rejection, keys.rejectedJobs],
    args: ['f', '{"f":1}', 1, ...rejectionArgs(groups)],
    more: [group, `${group}:jobs`],
  },
  'dashboard/failures/reopen.lua': {
    keys: [
      ...[bull.failed, `${jobs}d`, keys.counters, minutes],
      ...[keys.rejections, keys.rejection, keys.rejectedJobs, ...requestSets],
    ],
    args: ['d', '{}', '{"pairs":[["1","2"],["1","3"]]}', 2, 'r', ...reason],
    more: [`${jobs}d:lock`, request, `${request}:reasons`, minute()],
  },
  'dashboard/failures/sweep.lua': {
    keys: [bull.failed, keys.rejections, keys.rejection, keys.rejectedJobs],
    args: [jobs, 0, 0, 100],
    more: [group, `${group}:jobs`],
  },
};

/** Where settlements are refused, no call may be permitted whose outcome could not be written, and no job be taken for it. */
const NOT_WHEN_FULL = [
  'worker/jobs/settle.lua',
  'worker/jobs/complete.lua',
  'hubspot/reserve.lua',
  'bullmq/take.lua',
  'shared/state/cancel-request.lua',
  'shared/state/cancel-jobs.lua',
];

/** Every key that a script may meet, as it should be. */
async function goodGround(redis: Redis): Promise<void> {
  const all = redis.multi().flushall();
  for (const id of ids) {
    all.hset(jobs + id, 'data', '{"pairs":[["1","2"]]}', 'opts', '{}', 'ats', 1, 'timestamp', NOW);
    all.set(`${jobs + id}:lock`, 'mine').rpush(bull.active, id);
  }
  for (const id of ['d', 'e'])
    all.hset(jobs + id, 'data', '{}', 'opts', '{}', 'timestamp', NOW).lpush(bull.wait, id);
  all.hset(`${jobs}f`, 'data', '{"f":1}').zadd(bull.failed, 1, 'f');
  all.hset(
    keys.counters,
    'created',
    1,
    'rejected',
    200,
    'retried',
    1,
    'jobsCompleted',
    1,
    'calls',
    1,
    'discarded',
    0,
  );
  all.hset(minute(), 'created', 1, 'calls', 1);
  all.hset(request, 'accepted', 6, 'created', 0, 'rejected', 0, 'enqueuedAt', 1, 'unlisted', 3);
  all.rpush(`${request}:unlisted`, '3 {}');
  all.zadd(keys.requestList, 1, 'r', 2, 'gone');
  all.hset(keys.hold, 'strikes', 1, 'until', 0, 'kind', 'unavailable', 'margin', 3);
  all.hset(keys.alerts, 'since', 1, 'heldSince', 1, 'outbox', outbox, 'leasedBy', 'me');
  all.zadd(keys.requestsToAnnounce, 1, 'r', 2, 'gone').zadd(keys.workers, 1, 'w');
  all.lpush(keys.alertSamples, `${Date.now() - 120_000} 0 0`);
  all.hset(keys.daily, '2026-11-26', 5).zadd(keys.window, Date.now() - 1_000, 'p1', Date.now() - 500, 'p2');
  all.hset(keys.heldPairs, 'contacts/companies', '{"until":1,"reason":"x","strikes":1}');
  all
    .zadd(keys.rejections, 1, groups[0]?.id ?? '')
    .hset(group, 'first', 1, 'last', 1)
    .sadd(`${group}:jobs`, 'z');
  all.hset(keys.rejectedJobs, 'z', `${groups[0]?.id}=1`);
  all.zadd(bull.completed, 1, 'old').sadd(bull.stalled, 'a').xadd(bull.events, '*', 'event', 'x');
  all.hset(bull.meta, 'opts.maxLenEvents', 100).zadd(bull.marker, 0, '0').xadd(keys.batches, '*', 'id', 'z');
  const written = await all.exec();
  for (const [failure] of written ?? []) if (failure) throw failure;
}

const WRONG: readonly ((redis: Redis, key: string) => Promise<unknown>)[] = [
  (redis, key) => redis.set(key, 'somebody else’s'),
  (redis, key) => redis.rpush(key, 'x'),
  (redis, key) =>
    redis.hset(key, { x: '1', created: 'x', rejected: 'x', accepted: 'x', calls: 'x', nextId: 'x' }),
  (redis, key) => redis.hset(key, { until: 'x', strikes: 'x', margin: 'x', partialAt: 'x' }),
  (redis, key) => redis.hset(key, { until: 'nan', strikes: '-', late: 'nan', lateAt: 'x', kind: 'x' }),
  (redis, key) => redis.zadd(key, 1, 'x'),
  (redis, key) => redis.sadd(key, 'x'),
];
const SPOILT = ['', 'x', '-', '1e999', 'nan', '9'.repeat(30), '1.5', '\ud800', '[[[', '7'];

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** All there is, to the byte. */
async function contents(): Promise<string> {
  const names = (await redis.keys('*')).sort();
  const dumps = await Promise.all(names.map(name => redis.dumpBuffer(name)));
  return names.map((name, at) => `${name} ${dumps[at]?.toString('base64')}`).join('\n');
}

/** @returns whether it failed. Where it did, nothing may have changed. */
async function failsWhole(what: string, run: () => Promise<unknown>): Promise<boolean> {
  const before = await contents();
  const failure = await run().then(
    () => undefined,
    error => error,
  );
  if (failure && (await contents()) !== before) throw new Error(`${what}: it failed half done: ${failure}`);
  return failure !== undefined;
}

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(file =>
  file.endsWith('.lua'),
);
const isLibrary = (file: string) =>
  files.some(other =>
    [...readFileSync(new URL(other, SOURCES), 'utf8').matchAll(/^-- needs (\S+)$/gm)].some(
      ([, needed = '']) => new URL(needed, new URL(other, SOURCES)).href === new URL(file, SOURCES).href,
    ),
  );

it('every Lua script of the project is tried here', () => {
  expect(files.filter(file => !isLibrary(file)).sort()).toEqual(Object.keys(GROUNDS).sort());
});

describe.each(Object.entries(GROUNDS))('%s', (file, ground) => {
  const url = new URL(file, SOURCES);
  const script = loadScript(url);

  it('runs on good ground', async () => {
    await goodGround(redis);
    await script(redis, ground.keys, ground.args);
  });

  it('does all or nothing with a key of a wrong type', async () => {
    for (const key of [...ground.keys, ...(ground.more ?? [])])
      for (const [which, spoil] of WRONG.entries()) {
        await goodGround(redis);
        await redis.del(key);
        await spoil(redis, key);
        await failsWhole(`${key} wrong (${which})`, () => script(redis, ground.keys, ground.args));
      }
  });

  it('does all or nothing with a spoilt argument', async () => {
    for (const at of ground.args.keys())
      for (const spoilt of SPOILT) {
        await goodGround(redis);
        const args = ground.args.with(at, spoilt);
        await failsWhole(`ARGV[${at + 1}] = ${spoilt}`, () => script(redis, ground.keys, args));
      }
  });

  it('does all or nothing with arguments that are cut off', async () => {
    for (const at of ground.args.keys()) {
      await goodGround(redis);
      const args = ground.args.slice(0, at);
      await failsWhole(`${at} arguments`, () => script(redis, ground.keys, args));
    }
  });

  it('does all or nothing in a full Redis that knows no allow-oom', async () => {
    await goodGround(redis);
    await redis.config('SET', 'maxmemory', '1');
    try {
      const { plain } = scriptSource(url);
      const { keys, args } = ground;
      const failed = await failsWhole('full', () => redis.eval(plain, keys.length, ...keys, ...args));
      if (NOT_WHEN_FULL.includes(file)) expect(failed).toBe(true);
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
  });
});
