/** What endangers the queue in a Redis that works, one sentence each. The state sentence has eviction. Pure. */
import { faultText, type ServerFacts } from '../../shared/runtime/redis-facts.js';

/** @param server undefined: an ACL or the provider forbids the question */
export const redisNotices = (server: ServerFacts | undefined): string[] =>
  (server?.faults ?? [])
    .filter(({ about, level }) => level === 'fault' && about !== 'eviction')
    .map(faultText);
