/**
 * The index of rejections for the operator's tools. The settlement updates it. A comparison, one slice at a time
 * (sweep.lua), finds what other BullMQ clients did to the jobs, and never reads all jobs.
 */
import { bullmqKeys } from '../../bullmq/layout.js';
import { loadScript } from '../../shared/runtime/script.js';
import { indexRejections, rejectionArgs } from '../../shared/state/rejection-groups.js';
import type { QueueAccess } from '../connection.js';
import { type FailedJob, type Failure, readJobs } from './failed-jobs.js';

const sweepScript = loadScript(new URL('./sweep.lua', import.meta.url));
const reindexScript = loadScript(new URL('./reindex.lua', import.meta.url));

/** The last group, which has all further messages after a thousand different ones. */
export const OTHER_GROUP = 'other';

/** @returns the failures of a job that belong to one of the groups */
export function failuresOfGroups(
  job: FailedJob,
  groups: ReadonlySet<string>,
  indexed: ReadonlySet<string>,
): Failure[] {
  return job.failures.filter(failure => {
    const id = indexRejections(job.id, job, [failure], job.failedAt)[0]?.id ?? '';
    return groups.has(id) || (groups.has(OTHER_GROUP) && !indexed.has(id));
  });
}

/** Yields failed jobs with failures of the groups, page by page, each job once. */
export async function* jobsOfGroups(
  access: QueueAccess,
  groups: ReadonlySet<string>,
): AsyncGenerator<{ job: FailedJob; matched: Failure[] }[]> {
  const seen = new Set<string>();
  for (const group of groups) {
    // reads all ids at once: a few bytes each, and no cursor that a retry could disturb
    const all = await access.redis.smembers(`${access.keys.rejection}${group}:jobs`);
    const ids = all.filter(id => !seen.has(id));
    for (const id of groups.size > 1 ? ids : []) seen.add(id);
    for (let at = 0; at < ids.length; at += PAGE) yield matchedJobs(access, ids.slice(at, at + PAGE), groups);
  }
}

async function matchedJobs(
  access: QueueAccess,
  ids: readonly string[],
  groups: ReadonlySet<string>,
): Promise<{ job: FailedJob; matched: Failure[] }[]> {
  const { redis, keys } = access;
  const scores = await redis.zmscore(bullmqKeys(keys).failed, ...ids);
  const jobs = await readJobs(
    access,
    ids.filter((_, index) => scores[index] !== null),
  );
  const known = jobs.length > 0 ? await redis.hmget(keys.rejectedJobs, ...jobs.map(({ id }) => id)) : [];
  return jobs.flatMap((job, index) => {
    const indexed = new Set((known[index] ?? '').split(' ').map(entry => entry.split('=')[0] ?? ''));
    const matched = failuresOfGroups(job, groups, indexed);
    return matched.length > 0 ? [{ job, matched }] : [];
  });
}
const PAGE = 100;

/** @returns the rejections of a failed job in the form that the scripts expect */
export const indexEntry = (
  job: FailedJob,
  failures: readonly Failure[] = job.failures,
): (string | number)[] => rejectionArgs(indexRejections(job.id, job, failures, job.failedAt));

/** Removes the rejections of a job that was removed. */
export async function unindex(access: QueueAccess, job: FailedJob): Promise<void> {
  await reindex(access, job.id, '', false, rejectionArgs([]));
}

/** Compares the index with the jobs, one slice at a time. Callers take turns. */
export class Sweep {
  #cursor = '0';
  #rank = 0;
  /** the sides that this round has not finished; they finish at different times */
  #left = { index: false, failed: false };
  /** surplus of jobs in the index over the failed set: at the start of this round, and at the end of the last */
  #roundFrom: number | undefined;
  #explained = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(private readonly access: QueueAccess) {}

  /** Compares everything from the start. */
  round(): Promise<void> {
    return this.#inTurn(async () => {
      this.#begin();
      this.#roundFrom = undefined;
      do await this.#slice(ROUND_SLICE);
      while (this.#isUnderWay);
    });
  }

  /**
   * Compares for a moment if index and failed set have different numbers of jobs, otherwise one slice. Jobs with rejections
   * that are still retried also make a difference: a difference that a whole round left unchanged causes no further round.
   */
  catchUp(): Promise<void> {
    return this.#inTurn(async () => {
      const before = await this.#difference();
      if (before === this.#explained) {
        this.#roundFrom = undefined;
        return this.#slice(SLICE);
      }
      if (this.#roundFrom === undefined) this.#begin();
      this.#roundFrom ??= before;
      const until = performance.now() + CATCH_UP_MS;
      do await this.#slice(ROUND_SLICE);
      while (this.#isUnderWay && performance.now() < until);
      if (this.#isUnderWay) return;
      if ((await this.#difference()) === this.#roundFrom) this.#explained = this.#roundFrom;
      this.#roundFrom = undefined;
    });
  }

  async #difference(): Promise<number> {
    const { redis, keys } = this.access;
    const [indexed, failed] = await Promise.all([
      redis.hlen(keys.rejectedJobs),
      redis.zcard(bullmqKeys(keys).failed),
    ]);
    return indexed - failed;
  }

  #begin(): void {
    [this.#cursor, this.#rank] = ['0', 0];
    this.#left = { index: true, failed: true };
  }

  get #isUnderWay(): boolean {
    return this.#left.index || this.#left.failed;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {}); // the caller gets the error
    return done;
  }

  async #slice(size: number): Promise<void> {
    const { redis, keys } = this.access;
    const { failed, jobs } = bullmqKeys(keys);
    const [cursor, rank, ...unknown] = (await sweepScript(
      redis,
      [failed, keys.rejections, keys.rejection, keys.rejectedJobs],
      [jobs, this.#cursor, this.#rank, size],
    )) as [string, number, ...string[]];
    for (let at = 0; at < unknown.length; at += PAGE)
      for (const job of await readJobs(this.access, unknown.slice(at, at + PAGE)))
        await reindex(this.access, job.id, job.json, true, indexEntry(job));
    this.#cursor = cursor;
    this.#rank = rank;
    if (cursor === '0') this.#left.index = false;
    if (rank === 0) this.#left.failed = false;
  }
}
const ROUND_SLICE = 500;
/** Jobs that a reading compares on each side: about two microseconds each. */
const SLICE = 50;
const CATCH_UP_MS = 500;

async function reindex(
  { redis, keys }: QueueAccess,
  id: string,
  json: string,
  failed: boolean,
  entry: readonly (string | number)[],
): Promise<void> {
  const index = [keys.rejections, keys.rejection, keys.rejectedJobs];
  const { failed: deadLetters, jobs } = bullmqKeys(keys);
  await reindexScript(redis, [deadLetters, jobs + id, ...index], [id, json, failed ? 1 : 0, ...entry]);
}
