/**
 * Before the first command ioredis asks INFO whether the server is still loading its data. Where an ACL forbids INFO, it
 * goes on, and writes a line of its own to stderr at each connection, which is no line of our logs. Here the refused INFO
 * has an empty reply instead. A server that is loading then refuses commands with LOADING, as it does for hasty connections.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../contract/errors.js';

type Callback = (error: Error | null, reply?: string) => void;

export function withoutInfoWarning(redis: Redis): Redis {
  const info = redis.info.bind(redis);
  redis.info = (...args: unknown[]) => {
    const last = args.at(-1);
    const callback = typeof last === 'function' ? (last as Callback) : undefined;
    const sections = (callback ? args.slice(0, -1) : args) as string[];
    const reply = info(...sections).catch((error: unknown) => {
      if (!messageOf(error).startsWith('NOPERM')) throw error;
      return '';
    });
    if (callback) reply.then(text => callback(null, text), callback);
    return reply;
  };
  return redis;
}
