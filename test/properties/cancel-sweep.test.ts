/**
 * A cancel's walk against a model: jobs of two requests in any place, with a worker or not, with rejections or not, some of
 * which workers take, settle or move between the reading and the script. Whatever happens, each association is counted once:
 * it is cancelled, or it is still in its job. What is cancelled waits to be listed. Other jobs stay where they are.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { installedRelease } from '../../src/bullmq/fingerprint.js';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { Removal } from '../../src/bullmq/removal.js';
import type { JobData, Pair } from '../../src/shared/contract/association.js';
import { accountKeys, type Keys } from '../../src/shared/contract/keys.js';
import { CancelSweep } from '../../src/shared/state/cancel-sweep.js';
import { UnlistedJobs } from '../../src/shared/state/unlisted-jobs.js';
import { useRedis } from '../support/redis.js';
import { contactsToCompanies } from '../support/samples.js';

const file = useRedis(import.meta.url);
const { redis } = file;
const removals: Removal[] = [];
afterAll(async () => {
  for (const removal of removals) await removal.close();
});

const PLACES = ['wait', 'paused', 'prioritized', 'delayed'] as const;
type Place = (typeof PLACES)[number] | 'active';
type Job = {
  readonly place: Place;
  readonly isMine: boolean;
  readonly pairs: number;
  readonly rejected: number;
  /** it concerns another job, so that only BullMQ may remove it */
  readonly hasParent: boolean;
  /** a worker has counted all its pairs as created and died */
  readonly isMarked: boolean;
  /** what happens between the reading and the script */
  readonly meanwhile: 'nothing' | 'taken' | 'settled' | 'rewritten' | 'locked' | 'moved' | 'gone';
};

const jobs: fc.Arbitrary<Job[]> = fc.array(
  fc.record({
    place: fc.constantFrom<Place>(...PLACES, 'wait', 'wait', 'active'),
    isMine: fc.boolean(),
    pairs: fc.integer({ min: 0, max: 3 }),
    rejected: fc.constantFrom(0, 0, 1, 2),
    hasParent: fc.constantFrom(false, false, false, true),
    isMarked: fc.constantFrom(false, false, false, true),
    meanwhile: fc.constantFrom<Job['meanwhile']>(
      ...([
        'nothing',
        'nothing',
        'nothing',
        'taken',
        'settled',
        'rewritten',
        'locked',
        'moved',
        'gone',
      ] as const),
    ),
  }),
  { maxLength: 14 },
);

const [MINE, THEIRS] = ['11111111-1111-4111-8111-111111111111', '11111111-1111-4111-8111-1111111111112'];
const error = { at: '2026-03-01T12:00:00Z', attempt: 1, category: 'C', message: 'bad', pairs: 1 };
const pairsOf = (count: number): Pair[] =>
  Array.from({ length: count }, (_, at): Pair => [String(1e8 + at), '7000000000']);
const idOf = (job: Job, at: number): string => `${job.isMine ? MINE : THEIRS}-${at}`;
const dataOf = (job: Job): JobData => ({
  ...contactsToCompanies,
  pairs: pairsOf(job.pairs),
  requestId: job.isMine ? MINE : THEIRS,
  ...(job.rejected > 0 && { rejected: [{ error, pairs: pairsOf(job.rejected) }] }),
});
/** Marked jobs have no rejections: all their pairs were created. */
const isMarked = (job: Job): boolean => job.isMarked && job.rejected === 0;
/** What the request counts as queued of a job. */
const queuedOf = (job: Job): number => (isMarked(job) ? 0 : job.pairs);

class Ground {
  readonly keys: Keys = accountKeys(file.newPrefix());
  readonly bull = bullmqKeys(this.keys);
  readonly arrived: string[] = [];

  constructor(private readonly jobs: readonly Job[]) {}

  async write(): Promise<void> {
    const { bull, keys } = this;
    const accepted = this.jobs
      .filter(({ isMine }) => isMine)
      .reduce((sum, job) => sum + job.pairs + job.rejected, 0);
    const counted = this.jobs.filter(({ isMine }) => isMine);
    const created = counted.filter(isMarked).reduce((sum, { pairs }) => sum + pairs, 0);
    const rejected = counted.reduce((sum, job) => sum + job.rejected, 0);
    await redis.hset(keys.requests + MINE, {
      accepted,
      created,
      rejected,
      cancelled: 0,
      jobs: counted.length,
      unlisted: 0,
    });
    for (const [at, job] of this.jobs.entries()) {
      const id = idOf(job, at);
      await redis.hset(bull.jobs + id, {
        ...{ data: JSON.stringify(dataOf(job)), opts: '{}', timestamp: 1, priority: 0 },
        ...(job.hasParent && { parentKey: `${bull.jobs}parent` }),
        ...(isMarked(job) && { associationsCounted: `${job.pairs} b1`, ats: 1 }),
      });
      await this.put(job.place, id);
      if (job.place === 'active') await redis.set(`${bull.jobs + id}:lock`, 'w');
    }
  }

  async put(place: Place, id: string): Promise<void> {
    const key = this.bull[place];
    if (place === 'delayed' || place === 'prioritized') await redis.zadd(key, 1, id);
    else await redis.lpush(key, id);
  }

  async leave(place: Place, id: string): Promise<void> {
    const key = this.bull[place];
    if (place === 'delayed' || place === 'prioritized') await redis.zrem(key, id);
    else await redis.lrem(key, 1, id);
  }

  /** A producer adds a job of the other request. */
  async arrive(): Promise<void> {
    const id = `${THEIRS}-${1_000 + this.arrived.length}`;
    this.arrived.push(id);
    await redis.hset(this.bull.jobs + id, 'data', JSON.stringify({ ...contactsToCompanies, pairs: [] }));
    await this.put('wait', id);
  }

  /** What workers and other clients do between the reading and the script, each once. */
  async meddle(ids: readonly string[], done: Set<string>): Promise<void> {
    const { bull } = this;
    for (const [at, job] of this.jobs.entries()) {
      const id = idOf(job, at);
      if (!ids.includes(id) || done.has(id) || job.meanwhile === 'nothing') continue;
      done.add(id);
      if (job.meanwhile === 'locked') {
        await redis.set(`${bull.jobs + id}:lock`, 'w');
        continue;
      }
      if (job.meanwhile === 'rewritten') {
        await this.rewrite(job, id);
        continue;
      }
      await this.leave(job.place, id);
      if (job.meanwhile === 'gone') await redis.del(bull.jobs + id);
      if (job.meanwhile === 'moved') await this.put(job.place === 'delayed' ? 'wait' : 'delayed', id);
      if (job.meanwhile === 'taken' || job.meanwhile === 'settled')
        await redis.hincrby(bull.jobs + id, 'ats', 1);
      if (job.meanwhile === 'taken') {
        await this.put('active', id);
        await redis.set(`${bull.jobs + id}:lock`, 'w');
      }
      if (job.meanwhile === 'settled') {
        // one more of its pairs is created
        const data = { ...dataOf(job), pairs: pairsOf(Math.max(0, job.pairs - 1)) };
        await redis.hset(bull.jobs + id, 'data', JSON.stringify(data));
        if (!isMarked(job))
          await redis.hincrby(this.keys.requests + MINE, 'created', job.pairs - data.pairs.length);
        await this.put('delayed', id);
      }
    }
  }

  /** A worker had it, created one of its pairs and gave it back, and its data has the same length by chance. */
  async rewrite(job: Job, id: string): Promise<void> {
    const before = JSON.stringify(dataOf(job));
    const data = { ...dataOf(job), pairs: pairsOf(Math.max(0, job.pairs - 1)), source: '' };
    const spare = before.length - JSON.stringify(data).length;
    const key = this.bull.jobs + id;
    await redis.hincrby(key, 'ats', 1);
    if (spare < 0 || job.pairs === 0 || isMarked(job)) return;
    await redis.hset(key, 'data', JSON.stringify({ ...data, source: 'x'.repeat(spare) }));
    await redis.hincrby(this.keys.requests + MINE, 'created', 1);
  }

  /** Ids that are in a place. */
  async members(place: Place | 'failed'): Promise<string[]> {
    const key = this.bull[place];
    return ['wait', 'paused', 'active'].includes(place)
      ? redis.lrange(key, 0, -1)
      : redis.zrange(key, '0', '-1');
  }

  /** Pairs of our request that are still in jobs, as the request counts them. */
  async queued(): Promise<number> {
    let queued = 0;
    for (const [at, job] of this.jobs.entries()) {
      if (!job.isMine) continue;
      const [text, mark] = await redis.hmget(this.bull.jobs + idOf(job, at), 'data', 'associationsCounted');
      if (text && !mark) queued += (JSON.parse(text) as JobData).pairs.length;
    }
    return queued;
  }
}

async function play(given: readonly Job[], isKnown: boolean): Promise<void> {
  const ground = new Ground(given);
  await ground.write();
  const others = given.flatMap((job, at) => (job.isMine ? [] : [{ id: idOf(job, at), place: job.place }]));
  const { keys } = ground;
  const release = isKnown ? installedRelease() : { version: 'x', scripts: new Map() };
  const removal = new Removal(redis, keys, release);
  removals.push(removal);
  const meddled = new Set<string>();
  const sizes = { ids: 3, jobs: 4 }; // so that a few jobs make several windows and steps
  const sweep = new CancelSweep({
    redis,
    keys,
    removal,
    request: MINE,
    sizes,
    onStep: () => ground.arrive(),
    onRead: async ids => {
      await ground.arrive();
      await ground.meddle(ids, meddled);
    },
  });
  for (let walk = 0; walk < 8; walk++) await sweep.walk(new AbortController().signal);

  const gone = given.filter(
    job => job.isMine && job.meanwhile === 'gone' && meddled.has(idOf(job, given.indexOf(job))),
  );
  const record = await redis.hgetall(keys.requests + MINE);
  const count = (name: string) => Number(record[name] ?? 0);
  const lost = gone.reduce((sum, job) => sum + queuedOf(job), 0);
  const queued = await ground.queued();
  expect(count('accepted')).toBe(count('created') + count('rejected') + count('cancelled') + queued + lost);
  expect(Number((await redis.hget(keys.counters, 'cancelled')) ?? 0)).toBe(count('cancelled'));
  expect(count('unlisted')).toBe(count('cancelled'));
  expect(await listAll(keys)).toEqual({ counted: count('cancelled'), pairs: count('cancelled') });
  expect(await redis.hmget(keys.requests + MINE, 'unlisted', 'listed')).toEqual(
    count('cancelled') > 0 ? ['0', record.cancelled] : ['0', null],
  );

  // what no worker has is cancelled
  const active = new Set(await ground.members('active'));
  const failed = await ground.members('failed');
  for (const [at, job] of given.entries()) {
    const id = idOf(job, at);
    if (!job.isMine || active.has(id)) continue;
    const [text, failedReason] = await redis.hmget(ground.bull.jobs + id, 'data', 'failedReason');
    if (await redis.exists(`${ground.bull.jobs + id}:lock`)) {
      expect(text).toBe(JSON.stringify(dataOf(job))); // its worker's
      continue;
    }
    const data = text ? (JSON.parse(text) as JobData) : undefined;
    if (job.rejected > 0 && !gone.includes(job)) {
      expect(data).toMatchObject({ pairs: [], rejected: [{ error, pairs: pairsOf(job.rejected) }] });
      const isBuried = isKnown && !job.hasParent;
      expect(failed.includes(id)).toBe(isBuried);
      if (isBuried) {
        expect(failedReason).toMatch(/rejected: .*bad/);
        expect(data).not.toHaveProperty('cancelled'); // a retry begins anew with its rejections
      } else expect(data).toHaveProperty('cancelled'); // its worker makes a dead letter of it
    } else if (isKnown && !job.hasParent) expect(await redis.keys(`${ground.bull.jobs}${id}*`)).toEqual([]);
    else expect(data?.pairs ?? []).toEqual([]);
  }
  // everything else is where it was
  for (const place of [...PLACES, 'active'] as const) {
    const found = await ground.members(place);
    expect(found.filter(id => id.startsWith('removed'))).toEqual([]);
    const kept = others.filter(other => other.place === place).map(({ id }) => id);
    if (place === 'wait') kept.push(...ground.arrived);
    const isList = place !== 'delayed' && place !== 'prioritized';
    const theirs = found.filter(id => id.startsWith(THEIRS));
    if (isList) expect(theirs).toEqual(kept.toReversed());
    else expect(theirs.sort()).toEqual(kept.sort());
  }
}

/** As a command lists them, beside another one that is a moment later. @returns associations */
async function listAll(keys: Keys): Promise<{ counted: number; pairs: number }> {
  const [one, other] = [new UnlistedJobs(redis, keys, MINE), new UnlistedJobs(redis, keys, MINE)];
  const listed = { counted: 0, pairs: 0 };
  for (;;) {
    const [unlisted, same] = [await one.read(), await other.read()];
    if (unlisted.entries === 0) return listed;
    expect(await one.drop(unlisted)).toBe(true);
    expect(await other.drop(same)).toBe(false);
    listed.counted += unlisted.associations;
    for (const { pairs } of unlisted.jobs) listed.pairs += pairs.length;
  }
}

describe.each([
  ['a known release of BullMQ', true],
  ['an unknown release of BullMQ', false],
])('a cancel with %s', (_name, isKnown) => {
  it('counts each association once, takes all that no worker has, and leaves other jobs alone', async () => {
    await fc.assert(
      fc.asyncProperty(jobs, given => play(given, isKnown)),
      { numRuns: 40 },
    );
  });
});
