/**
 * Says why a request does not go on, in the words of the state sentence: the account is held, the queue is paused, no worker
 * is alive, Redis is full. It changes nothing.
 */
import type { Config } from '../../shared/runtime/config.js';
import { RedisAsker } from '../../shared/runtime/redis-asker.js';
import { writeRefusalForReaders } from '../../shared/runtime/write-probe.js';
import type { QueueAccess } from '../connection.js';
import { figuresOf, healthOf } from '../overview/state-reader.js';
import { readStats } from '../overview/stats.js';
import { clockAt } from '../text/figures.js';
import { stateSentence } from '../text/state-sentence.js';

/** @returns a function that reads it: '' while work flows, or if nothing is queued */
export function standStillReader(access: QueueAccess, config: Config): () => Promise<string> {
  const { redis, keys } = access;
  const asker = new RedisAsker(redis);
  return async () => {
    const [refusal, server, { queueState, stats }] = await Promise.all([
      writeRefusalForReaders(redis, keys),
      asker.facts(),
      readStats(access, config),
    ]);
    // a Redis that may delete keys stops nobody
    const health = { ...healthOf(refusal, server), evicts: null };
    const figures = figuresOf(queueState, { stats, redis: health, perSecond: null, rejected: 0 });
    if (figures.backlog === 0) return '';
    const { tone, text } = stateSentence(figures, clockAt(figures.now));
    return tone === 'warn' || tone === 'bad' ? text : '';
  };
}
