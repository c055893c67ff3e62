/**
 * Job retrier: moves a failed job back to the waiting jobs by BullMQ's own command, in one MULTI with a script of ours that runs
 * after it. So the move and what the script writes are there together or not at all, with every release of BullMQ that executes
 * its commands as 6.7.0 does. It does not know what the script does.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { Job, type Queue, RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../shared/contract/errors.js';
import { JOB_NAME, type Keys } from '../shared/contract/keys.js';
import { execWith, ownQueue } from './own-queue.js';
import { isRefusedByFullRedis } from './queue-backend.js';

/** A job that has been moved. */
export type Moved = {
  /** of the script; undefined: it has failed or did not run, because Redis is full or this BullMQ moves jobs in another way */
  readonly reply: unknown;
};

type Call = { readonly keys: readonly string[]; readonly args: readonly (string | number)[] };
type Transaction = { readonly call: Call; readonly hash: string; reply?: unknown };
/** The transaction of the move that runs in this asynchronous context: several jobs are moved at once. */
const underWay = new AsyncLocalStorage<Transaction>();

type ExecCommand = RedisQueueBackend['execCommand'];

class Backend extends RedisQueueBackend {
  override execCommand(...[client, name, args]: Parameters<ExecCommand>): ReturnType<ExecCommand> {
    const transaction = underWay.getStore();
    if (!transaction || !('multi' in client)) return super.execCommand(client, name, args);
    const multi = client.multi();
    super.execCommand(multi, name, args); // sends nothing yet
    const { hash, call } = transaction;
    const { keys } = call;
    const executed = execWith(multi, each => each.evalsha(hash, keys.length, ...keys, ...call.args));
    return replyOf(executed, transaction);
  }
}

/** @returns what BullMQ's command replies. @throws its error */
async function replyOf(
  executed: Promise<[Error | null, unknown][]>,
  transaction: Transaction,
): Promise<unknown> {
  const [move, script] = await executed;
  const [failure, reply] = move ?? [new Error('the transaction has no reply')];
  if (failure) throw failure;
  if (script && !script[0]) transaction.reply = script[1];
  return reply;
}

export class JobRetrier {
  readonly #queue: Queue;
  /** resolves to the hash by which Redis knows our script */
  #script: Promise<string> | undefined;

  /** @param script its text */
  constructor(
    private readonly redis: Redis,
    keys: Pick<Keys, 'queue'>,
    private readonly script: string,
  ) {
    const at = keys.queue.lastIndexOf(':');
    const [prefix, name] = [keys.queue.slice(0, at), keys.queue.slice(at + 1)];
    this.#queue = ownQueue(redis, prefix, name, Backend).queue;
  }

  /**
   * @returns undefined if there is no such job
   * @throws Error of BullMQ, such as for a job that has not failed; or of Redis: it may have been moved
   */
  async retry(id: string, call: Call): Promise<Moved | undefined> {
    const job = await this.#find(id);
    if (!job) return undefined;
    try {
      return await this.#move(job, call);
    } catch (error) {
      if (isRefusedByFullRedis(error)) {
        await job.retry('failed'); // a full Redis takes no transaction
        return { reply: undefined };
      }
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      await this.#loadAgain();
      return await this.#move(job, call);
    }
  }

  /** BullMQ's getJob fails on data that is no JSON. Its command needs no data. */
  async #find(id: string): Promise<Job | undefined> {
    try {
      return await this.#queue.getJob(id);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return new Job(this.#queue, JOB_NAME, undefined, {}, id);
    }
  }

  async #move(job: Job, call: Call): Promise<Moved> {
    this.#script ??= this.redis.script('LOAD', this.script) as Promise<string>;
    const transaction: Transaction = { call, hash: await this.#script };
    await underWay.run(transaction, () => job.retry('failed'));
    return { reply: transaction.reply };
  }

  /**
   * Redis has lost its scripts (SCRIPT FLUSH). BullMQ's comes first in the transaction, so nothing was moved. Redis gets it again with
   * a command outside of a transaction.
   */
  async #loadAgain(): Promise<void> {
    this.#script = undefined;
    const nobody = new Job(this.#queue, JOB_NAME, undefined, {}, randomUUID());
    await nobody.retry('failed').catch(() => {}); // there is no such job
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
