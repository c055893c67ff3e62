/** Asks Redis over a connection that is opened for the question. */
import type { Keys } from '../contract/keys.js';
import { openRedis, type RedisAddress } from './redis.js';
import { settlesWithin } from './wait.js';
import { writeRefusal } from './write-probe.js';

/** Longest wait for the answer. */
const ANSWER_MS = 5_000;

/** @returns true if Redis answers a new connection and accepts writes on it. Never rejects. */
export async function answersAfresh(address: RedisAddress, keys: Keys): Promise<boolean> {
  const redis = openRedis(address, 'hasty');
  let accepts = false;
  const asked = (async () => {
    await redis.connect();
    accepts = (await writeRefusal(redis, keys)) === '';
  })();
  await settlesWithin(asked, ANSWER_MS);
  redis.disconnect();
  await asked.catch(() => {});
  return accepts;
}
