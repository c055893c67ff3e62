/**
 * Jobs as the package bullmq for Python adds them, byte for byte. The package cannot be had in a Node project, so this file
 * repeats what `Queue.add` does: Redis' commands in the order of its scripts, with the fields that they write.
 * Read in taskforcesh/bullmq, releases 2.10 to 2.25 for Python: python/bullmq/job.py (options), python/bullmq/scripts.py
 * (JSON, msgpack), src/commands/addStandardJob-8.lua, src/commands/addPrioritizedJob-8.lua, includes/storeJob.lua.
 * What differs from BullMQ for Node: the JSON is ASCII; `attempts` is 0 unless it is given; a backoff of None vanishes,
 * because msgpack's nil leaves no field in a Lua table; the queue writes no `version` into `meta`.
 */
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { Keys } from '../../src/shared/contract/keys.js';

/** `json.dumps(value, separators=(',', ':'), allow_nan=False)` */
export const pythonJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export type PythonOptions = {
  readonly attempts?: number;
  readonly backoff?: { readonly type: string; readonly delay: number };
  readonly priority?: number;
  readonly jobId?: string;
};

const MAX_EVENTS = 10_000;

/** @param json the data, as Python writes it @returns the id of the job */
export async function addAsPython(
  redis: Redis,
  keys: Pick<Keys, 'queue'>,
  name: string,
  json: string,
  given: PythonOptions = {},
): Promise<string> {
  const queue = bullmqKeys(keys);
  const counter = await redis.incr(`${keys.queue}:id`);
  await redis.hsetnx(queue.meta, 'opts.maxLenEvents', MAX_EVENTS);
  const id = given.jobId ?? String(counter);
  const { priority = 0 } = given;
  const opts = JSON.stringify({ attempts: 0, delay: 0, ...given }); // as cjson.encode, whose order is any
  const fields = { name, data: json, opts, timestamp: Date.now(), delay: 0, priority };
  await redis.hmset(queue.jobs + id, fields);
  await redis.xadd(queue.events, '*', 'event', 'added', 'jobId', id, 'name', name);
  if (priority > 0) {
    const place = await redis.incr(queue.priorityCounter);
    await redis.zadd(queue.prioritized, priority * 2 ** 32 + place, id);
  } else await redis.lpush(queue.wait, id);
  await redis.zadd(queue.marker, 0, '0');
  await redis.xadd(queue.events, 'MAXLEN', '~', MAX_EVENTS, '*', 'event', 'waiting', 'jobId', id);
  return id;
}
