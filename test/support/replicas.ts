/** A wait for replicas as without REDIS_WAIT_REPLICAS: nobody waits. */
import type { Redis } from 'ioredis';
import type { Keys } from '../../src/shared/contract/keys.js';
import { ReplicaWait } from '../../src/shared/runtime/replicas.js';

export const noReplicas = (redis: Redis, keys: Keys): ReplicaWait =>
  new ReplicaWait(redis, keys, { replicas: 0, timeoutMs: 0 });
