/**
 * Says why a request does not go on, in the words of the state sentence: the account is held, the queue is paused, no worker
 * is alive, Redis is full. It changes nothing.
 */
import type { Config } from '../../shared/runtime/config.js';
import type { QueueAccess } from '../connection.js';
import { readRedisHealth } from '../overview/redis-health.js';
import { figuresOf } from '../overview/state-reader.js';
import { readStats } from '../overview/stats.js';
import { clockAt } from '../text/figures.js';
import { stateSentence } from '../text/state-sentence.js';

/** @returns '' while work flows, or if nothing is queued */
export async function readStandStill(access: QueueAccess, config: Config): Promise<string> {
  const [redis, { queueState, stats }] = await Promise.all([
    readRedisHealth(access.redis, access.keys),
    readStats(access, config),
  ]);
  const figures = figuresOf(queueState, { stats, redis, perSecond: null, rejected: 0 });
  if (figures.backlog === 0) return '';
  const { tone, text } = stateSentence(figures, clockAt(figures.now));
  return tone === 'warn' || tone === 'bad' ? text : '';
}
