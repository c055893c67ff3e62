/** The gateway's memory under requests of 50,000 inputs, one after the other and at once. The gateway runs in a separate process, and Linux reports the memory. */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import { type GatewayProcess, startGateway } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';
import { CREATE, goodPairs, inputOf } from '../support/samples.js';

const test = useRedis(import.meta.url);
const MEGABYTE = 1e6;
let gateway: GatewayProcess;
afterEach(async () => {
  await gateway.end('SIGTERM');
});

/** Its largest memory so far. */
const highWaterMark = (): number =>
  (Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8'))?.[1]) *
    1_024) /
  MEGABYTE;

const onLinux = existsSync('/proc/self/status') ? it : it.skip;

onLinux('the gateway stays under 250 MB with large requests, and under 450 MB with absurd ones', async () => {
  gateway = await startGateway({ REDIS_URL: test.url, QUEUE_PREFIX: test.newPrefix() });
  // ids as long as HubSpot's: a body of 7 MB
  const inputs = goodPairs(50_000).map(([from, to]) => inputOf(`90000${from}`, `90000${to}`));
  const body = JSON.stringify({ inputs });
  const send = async (text: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(gateway.url + CREATE, { method: 'POST', headers, body: text });
    await response.text();
    return response.status;
  };
  for (let at = 0; at < 8; at++) expect(await send(body)).toBe(201);
  expect(highWaterMark()).toBeLessThan(250);
  const statuses = await Promise.all(Array.from({ length: 8 }, () => send(body)));
  expect(new Set(statuses)).toEqual(new Set([201]));
  expect(highWaterMark()).toBeLessThan(250);
  // as large as may be, and nothing but brackets or faults
  const large = 25_000_000;
  expect(await send(`{"inputs":[${'['.repeat(large / 2)}`)).toBe(400);
  expect(await send(`{"inputs":[${'{},'.repeat(49_999)}{}]}`)).toBe(400);
  expect(await send(`{"inputs":[],"more":${'{"a":'.repeat(large / 5 - 10)}`)).toBe(400);
  expect(await send(`{"inputs":[${'"",'.repeat(49_999)}""],"more":[${'0,'.repeat(large / 3)}0]}`)).toBe(400);
  expect(highWaterMark()).toBeLessThan(450);
});
