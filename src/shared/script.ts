/** Lua scripts: one file each, sent once and called by their hash; a Redis that has forgotten one (restart) gets it again. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { messageOf } from './errors.js';

export type Script = (
  redis: Redis,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/**
 * @param file of the script, beside the module that calls it: `new URL('./reserve.lua', import.meta.url)`
 * @param libraries files of local functions that the script calls; they stand before it
 */
export function loadScript(file: URL, ...libraries: readonly URL[]): Script {
  const source = [...libraries, file].map(each => readFileSync(each, 'utf8')).join('\n');
  const hash = createHash('sha1').update(source).digest('hex');
  return async (redis, keys, args) => {
    try {
      return await redis.evalsha(hash, keys.length, ...keys, ...args);
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      return await redis.eval(source, keys.length, ...keys, ...args);
    }
  };
}
