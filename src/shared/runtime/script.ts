/**
 * Loads Lua scripts: one file each, sent once and called by hash. A Redis that lost a script (restart) gets it again.
 * A line `-- needs file.lua` puts that file's local functions before the script, each file once. A first line
 * `#!lua flags=allow-oom` lets the script run on a full Redis (docs/decisions/0022); a server that does not support it
 * gets the script without that line.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { messageOf } from '../contract/errors.js';

export type Script = (
  redis: Redis,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/** @param file of the script, beside the module that calls it: `new URL('./reserve.lua', import.meta.url)` */
export function loadScript(file: URL): Script {
  const { flags, plain } = scriptSource(file);
  const asWritten = flags === '' ? plain : `${flags}\n${plain}`;
  let source = asWritten;
  let hash = sha1(source);
  return async (redis, keys, args) => {
    const run = () => redis.eval(source, keys.length, ...keys, ...args);
    try {
      return await redis.evalsha(hash, keys.length, ...keys, ...args);
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
    }
    try {
      source = asWritten; // a server that lost the script may be another server
      return await run();
    } catch (error) {
      if (flags === '' || !KNOWS_NO_FLAGS.test(messageOf(error))) throw error;
      source = plain;
      return await run();
    } finally {
      hash = sha1(source);
    }
  };
}

/** Compile errors of servers without flags, such as Redis before 7: `unexpected symbol near '#'`. */
const KNOWS_NO_FLAGS =
  /^ERR (Error compiling script|Unexpected (flag|engine)|Could not find scripting engine)/;
const FLAGS = /^#!lua .*\n/;
const NEEDS = /^-- needs (\S+)$/gm;

const sha1 = (source: string): string => createHash('sha1').update(source).digest('hex');

/** @returns the script with all files that it needs, and its first line with the flags */
export function scriptSource(file: URL): { flags: string; plain: string } {
  const texts = [...withNeeds(file)].map(each => readFileSync(new URL(each), 'utf8'));
  const flags = FLAGS.exec(texts.at(-1) ?? '')?.[0].trimEnd() ?? '';
  return { flags, plain: texts.map(text => text.replace(FLAGS, '')).join('\n') };
}

/** @returns the files that make up a script, itself last */
function withNeeds(file: URL, found = new Set<string>()): ReadonlySet<string> {
  for (const [, needed = ''] of readFileSync(file, 'utf8').matchAll(NEEDS))
    withNeeds(new URL(needed, file), found);
  return found.add(file.href);
}
