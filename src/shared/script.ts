/**
 * Lua scripts: one file each, sent once and called by their hash; a Redis that has forgotten one (restart) gets it again.
 * A line `-- needs file.lua` puts that file's local functions before the script, each file once.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { messageOf } from './errors.js';

export type Script = (
  redis: Redis,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/** @param file of the script, beside the module that calls it: `new URL('./reserve.lua', import.meta.url)` */
export function loadScript(file: URL): Script {
  const source = scriptSource(file);
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

/** The script with all that it needs. */
export const scriptSource = (file: URL): string =>
  [...withNeeds(file)].map(each => readFileSync(new URL(each), 'utf8')).join('\n');

const NEEDS = /^-- needs (\S+)$/gm;

/** The files that a script is made of, itself last. */
function withNeeds(file: URL, found = new Set<string>()): ReadonlySet<string> {
  for (const [, needed = ''] of readFileSync(file, 'utf8').matchAll(NEEDS))
    withNeeds(new URL(needed, file), found);
  return found.add(file.href);
}
