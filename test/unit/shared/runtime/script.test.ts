/** Scripts on servers that support the line `#!lua flags=allow-oom`, and on those that do not. */
import { expect, it } from '@jest/globals';
import { loadScript, type Script } from '../../../../src/shared/runtime/script.js';

const file = new URL('../../../../src/hubspot/recover.lua', import.meta.url);

/** @param refusal the server's reply to a script with that line */
function server(refusal?: string) {
  const heard: string[] = [];
  const known = new Set<string>();
  const redis = {
    async evalsha(hash: string) {
      heard.push('evalsha');
      if (!known.has(hash)) throw new Error('NOSCRIPT No matching script.');
      return hash;
    },
    async eval(source: string) {
      heard.push(source.startsWith('#!lua flags=allow-oom\n') ? 'with flags' : 'plain');
      if (refusal && source.startsWith('#!')) throw new Error(refusal);
      const { createHash } = await import('node:crypto');
      known.add(createHash('sha1').update(source).digest('hex'));
      return 0;
    },
  } as unknown as Parameters<Script>[0];
  return { redis, heard, forget: () => known.clear() };
}

it('a script is sent once, with its flags, to a server that knows flags', async () => {
  const { redis, heard } = server();
  const script = loadScript(file);
  await script(redis, ['k'], []);
  await script(redis, ['k'], []);
  expect(heard).toEqual(['evalsha', 'with flags', 'evalsha']);
});

it('a script is sent without its flags to Redis 6, and again when Redis has forgotten it', async () => {
  const { redis, heard, forget } = server(
    "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
  );
  const script = loadScript(file);
  await script(redis, ['k'], []);
  await script(redis, ['k'], []);
  forget();
  await script(redis, ['k'], []);
  const once = ['evalsha', 'with flags', 'plain'];
  expect(heard).toEqual([...once, 'evalsha', ...once]);
});

it('a script passes any other error on to the caller', async () => {
  const { redis, heard } = server('READONLY You can’t write against a read only replica.');
  await expect(loadScript(file)(redis, ['k'], [])).rejects.toThrow('READONLY');
  expect(heard).toEqual(['evalsha', 'with flags']);
});
