/**
 * Retries failed jobs: BullMQ's command moves a job to the waiting ones, and in the same step its rejections count as queued again
 * (reopen.lua, docs/decisions/0048). A crash leaves each job either failed or waiting and counted.
 */
import { JobRetrier, type Moved } from '../../bullmq/job-retrier.js';
import { bullmqKeys } from '../../bullmq/layout.js';
import { JobReader } from '../../shared/contract/job-text.js';
import { reopenedJob } from '../../shared/contract/reopen.js';
import { loadScript, scriptSource } from '../../shared/runtime/script.js';
import { indexRejections, reasonArgs } from '../../shared/state/rejection-groups.js';
import { requestKeys } from '../../shared/state/requests.js';
import type { QueueAccess } from '../connection.js';
import { type FailedJob, readJobs } from './failed-jobs.js';

const REOPEN = new URL('./reopen.lua', import.meta.url);
const reopenScript = loadScript(REOPEN);
/** Reply of the script. */
const COUNTED = 1;

export class Retries {
  readonly #retrier: JobRetrier;
  readonly #reader = new JobReader();

  constructor(private readonly access: QueueAccess) {
    this.#retrier = new JobRetrier(access.redis, access.keys, scriptSource(REOPEN).plain);
  }

  /** @returns false if the job has left the failed set: another client was faster */
  async retry(job: FailedJob): Promise<boolean> {
    const moved = await this.#move(job);
    if (!moved) return false;
    if (moved.reply !== COUNTED) await this.#countNow(job.id);
    return true;
  }

  async close(): Promise<void> {
    await this.#retrier.close();
  }

  async #move(job: FailedJob): Promise<Moved | undefined> {
    const { redis, keys } = this.access;
    try {
      return await this.#retrier.retry(job.id, this.#call(job));
    } catch (error) {
      if ((await redis.zscore(bullmqKeys(keys).failed, job.id)) === null) return undefined;
      throw error;
    }
  }

  /**
   * The job was moved and not counted: it has changed since it was read, or Redis is full, or BullMQ moves jobs in another way. If a
   * worker has it by now, or this process dies, its worker counts it.
   */
  async #countNow(id: string): Promise<void> {
    const [job] = await readJobs(this.access, [id]);
    if (!job) return;
    const { keys, args } = this.#call(job);
    await reopenScript(this.access.redis, keys, args);
  }

  #call(job: FailedJob): { readonly keys: string[]; readonly args: (string | number)[] } {
    const { keys } = this.access;
    const { failed, jobs } = bullmqKeys(keys);
    const index = [keys.rejections, keys.rejection, keys.rejectedJobs];
    const read = this.#reader.read(job.json);
    const again = 'faults' in read ? undefined : reopenedJob(read);
    const before = again ? indexRejections(job.id, job, job.failures, job.failedAt) : [];
    return {
      keys: [failed, jobs + job.id, keys.counters, keys.minutes, ...index, ...requestKeys(keys)],
      args: [
        ...[job.id, job.json, again ? JSON.stringify(again.data) : '', again?.associations ?? 0],
        ...[job.requestId ?? '', ...reasonArgs([], before)],
      ],
    };
  }
}
