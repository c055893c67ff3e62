/** A request belongs to its key, whichever gateway is asked, whatever it shares with others, however the header spells it. */

import { expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { type ReplyBody, type TestServer, useServers } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';
import { CREATE, inputOf } from '../support/samples.js';

const test = useRedis(import.meta.url);
const openServer = useServers(test);
const open = (apiKeys: string[], prefix = test.newPrefix()) => openServer({ apiKeys }, prefix);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function post(server: TestServer, headers: Record<string, string>, inputs = [inputOf(1, 2)]) {
  const response = await server.app.inject({ method: 'POST', url: CREATE, payload: { inputs }, headers });
  expect(response.statusCode).toBe(201);
  return response.json<ReplyBody>().links?.status ?? '';
}
const ask = async (server: TestServer, url: string, headers: Record<string, string> = {}) =>
  (await server.app.inject({ url, headers })).statusCode;

it('two keys that send single requests at the same moment each read their own only, by whatever path', async () => {
  const server = await open(['one', 'two']);
  const paths = await Promise.all(
    Array.from({ length: 20 }, (_, at) => post(server, bearer(at % 2 ? 'two' : 'one'))),
  );
  for (const [at, path] of paths.entries()) {
    const [own, other] = at % 2 ? ['two', 'one'] : ['one', 'two'];
    expect(await ask(server, path, bearer(own))).toBe(200);
    for (const place of ['000', '001', path.slice(-3)])
      expect(await ask(server, path.replace(/...$/, place), bearer(other))).toBe(404);
  }
  // requests with the same key still share jobs
  expect(await test.redis.llen(`${bullmqKeys(accountKeys(test.prefix)).jobs}wait`)).toBeLessThan(10);
});

it('a large request is as private, in every gateway of the account', async () => {
  const server = await open(['one', 'two']);
  const path = await post(server, bearer('one'), [inputOf(1, 2), inputOf(3, 4)]);
  const [second, keyless] = [await open(['two', 'one'], test.prefix), await open([], test.prefix)];
  expect(await ask(second, path, bearer('one'))).toBe(200);
  expect(await ask(second, path, bearer('two'))).toBe(404);
  expect(await ask(keyless, path)).toBe(404);
  // everybody may read a request that came without a key
  const anybodys = await post(keyless, {});
  expect(await ask(keyless, anybodys)).toBe(200);
  expect(await ask(server, anybodys, bearer('two'))).toBe(200);
});

it('an answer may be kept by no proxy', async () => {
  const server = await open(['one']);
  const path = await post(server, bearer('one'));
  for (const headers of [bearer('one'), {}])
    expect((await server.app.inject({ url: path, headers })).headers['cache-control']).toBe('no-store');
});

it('a key itself is never stored in Redis', async () => {
  const server = await open(['a-very-secret-key']);
  await post(server, { ...bearer('a-very-secret-key'), 'idempotency-key': 'k' });
  await post(server, bearer('a-very-secret-key'));
  for (const key of await test.redis.keys(`${test.prefix}:*`)) {
    const text = `${key} ${JSON.stringify(await test.redis.dumpBuffer(key))} ${await test.redis.dump(key)}`;
    expect(text).not.toContain('a-very-secret-key');
  }
});

it('an Idempotency-Key is known again when the caller spells the Authorization header otherwise', async () => {
  const server = await open(['one']);
  const spellings = ['Bearer one', 'bearer one', 'BEARER   one', 'Bearer one '];
  const paths = await Promise.all(
    spellings.map(authorization => post(server, { authorization, 'idempotency-key': 'nightly' })),
  );
  expect(new Set(paths).size).toBe(1);
  expect(await test.redis.llen(`${bullmqKeys(accountKeys(test.prefix)).jobs}wait`)).toBe(1);
});
